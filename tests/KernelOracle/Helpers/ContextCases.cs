using RxStages.Bpf.Objects;

namespace RxStages.KernelOracle.Tests.Helpers;

/// <summary>The kernel's view of a packet, and states that no host has.</summary>
internal static class ContextCases
{
    private static Btf Types => TargetKernel.Running.Types!;

    /// <summary>All of them.</summary>
    public static IEnumerable<CallCase> All =>
        [
            .. new[] { 64, 9000 }.Select(length => new CallCase(
                $"the kernel's context, {length} bytes",
                $"""
                r1 = r6
                kfunc bpf_cast_to_kern_ctx
                r9 = r0
                {Load("u32", "xdp_buff", "frame_sz")}
                {Load("u32", "xdp_buff", "flags")}
                r2 = *(u64 *)(r9 + {Offset("xdp_buff", "data")})
                r0 = *(u64 *)(r9 + {Offset("xdp_buff", "data_end")})
                r0 -= r2
                record
                r0 = *(u64 *)(r9 + {Offset("xdp_buff", "data_hard_start")})
                r0 -= r2
                record
                r9 = *(u64 *)(r9 + {Offset("xdp_buff", "rxq")})
                {Load("u32", "xdp_rxq_info", "queue_index")}
                r9 = *(u64 *)(r9 + {Offset("xdp_rxq_info", "dev")})
                {Load("u32", "net_device", "ifindex")}
                {Load("u32", "net_device", "name")}
                r9 = *(u64 *)(r9 + {Offset("net_device", "nd_net")})
                r0 = *(u32 *)(r9 + {Offset("net", "ns") + Offset("ns_common", "inum")})
                record
                """
            )
            {
                PacketLength = length,
                IsFrags = true,
            }),
            new(
                "addresses cast to a structure",
                string.Join(
                    '\n',
                    new[] { "0", "1", "-4096", "0x7fff00000000 ll" }.Select(address =>
                        $"""
                            r1 = {address}
                            r2 = {Types.Find("net_device", BtfKind.Struct)}
                            kfunc bpf_rdonly_cast
                            r9 = r0
                            {Load("u32", "net_device", "ifindex")}
                            {Load("s32", "net_device", "ifindex")}
                            r9 = r7
                            """
                    )
                )
            ),
            .. from size in new[] { 0, 3, 4, 35, 36, 40 }
            from ns in new[] { -1, -2, 0, 77 }
            select new CallCase(
                $"IPsec states, options of {size} bytes, namespace {ns}",
                $"""
                r1 = {ns}
                *(u32 *)(r7 + 4) = r1
                r1 = r6
                r2 = r7
                r3 = {size}
                kfunc bpf_xdp_get_xfrm_state
                if r0 == 0 goto none
                r1 = r0
                kfunc bpf_xdp_xfrm_state_release
                r0 = 1
                none:
                record
                """
            )
            {
                Memory = [.. new byte[36], 0xa5, 0xa5, 0xa5, 0xa5],
            },
        ];

    private static string Load(string size, string structure, string member) =>
        $"r0 = *({size} *)(r9 + {Offset(structure, member)})\nrecord";

    private static int Offset(string structure, string name) =>
        Types.OffsetOf(Types.Find(structure, BtfKind.Struct), name)!.Value;
}
