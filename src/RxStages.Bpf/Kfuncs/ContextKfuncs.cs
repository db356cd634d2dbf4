using System.Collections.Immutable;
using RxStages.Bpf.Helpers;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Kfuncs;

/// <summary>Kfuncs about where the packet came from: the kernel's view of it, and what the card told of it.</summary>
internal static unsafe class ContextKfuncs
{
    internal static readonly ImmutableArray<KfuncDefinition> Definitions =
    [
        new(
            "bpf_cast_to_kern_ctx",
            ReturnType.BtfPointer,
            [ArgumentType.Context],
            CastToKernelContext,
            "kernel/bpf/helpers.c: bpf_cast_to_kern_ctx",
            "The packet as the kernel's struct xdp_buff, with its receive queue and interface."
        )
        {
            ReturnBtfType = "xdp_buff",
            Difference =
                "Of the interface only number and name are known, of the queue and the network namespace only the number; all else is zero.",
        },
        new(
            "bpf_rdonly_cast",
            ReturnType.CastPointer,
            [ArgumentType.Anything, ArgumentType.ConstantScalar],
            CastReadOnly,
            "kernel/bpf/helpers.c: bpf_rdonly_cast",
            "Any address as a pointer to a kernel structure, by its BTF id; what cannot be read is 0."
        )
        {
            Difference = "Only a program's own memory is readable, and structures that it was given.",
        },
        new(
            "bpf_xdp_metadata_rx_timestamp",
            ReturnType.Integer,
            [ArgumentType.Context, Argument.UpdatedBytes(sizeof(ulong))],
            MetadataTimestamp,
            "net/core/xdp.c: bpf_xdp_metadata_rx_timestamp",
            "When the packet was received, in nanoseconds; ENODATA when that is not known."
        )
        {
            Difference = "Programs need not be bound to a device. A capture's timestamps count as the card's.",
        },
        new(
            "bpf_xdp_metadata_rx_hash",
            ReturnType.Integer,
            [ArgumentType.Context, Argument.UpdatedBytes(sizeof(uint)), Argument.UpdatedBytes(sizeof(uint))],
            MetadataHash,
            "net/core/xdp.c: bpf_xdp_metadata_rx_hash",
            "The card's hash of the packet: ENODATA, since there is none."
        )
        {
            Difference = "Programs need not be bound to a device. No port has hashes.",
        },
        new(
            "bpf_xdp_metadata_rx_vlan_tag",
            ReturnType.Integer,
            [ArgumentType.Context, Argument.UpdatedBytes(sizeof(ushort)), Argument.UpdatedBytes(sizeof(ushort))],
            MetadataVlanTag,
            "net/core/xdp.c: bpf_xdp_metadata_rx_vlan_tag",
            "The VLAN tag that the card took out of the packet: ENODATA, since tags stay in packets."
        )
        {
            Difference = "Programs need not be bound to a device. No port takes tags out of packets.",
        },
    ];

    private static ulong CastToKernelContext(
        BpfRuntime* runtime,
        ulong context,
        ulong r2,
        ulong r3,
        ulong r4,
        ulong r5
    ) => (ulong)KernelContext.Of((XdpBuff*)context, runtime);

    private static ulong CastReadOnly(BpfRuntime* runtime, ulong address, ulong type, ulong r3, ulong r4, ulong r5) =>
        address;

    private static ulong MetadataTimestamp(
        BpfRuntime* runtime,
        ulong context,
        ulong timestamp,
        ulong r3,
        ulong r4,
        ulong r5
    )
    {
        var received = ((XdpBuff*)context)->Timestamp;
        if (received == 0)
        {
            return Error(Errno.ENODATA);
        }
        *(ulong*)timestamp = received;
        return 0;
    }

    private static ulong MetadataHash(BpfRuntime* runtime, ulong context, ulong hash, ulong type, ulong r4, ulong r5) =>
        Error(Errno.ENODATA);

    private static ulong MetadataVlanTag(
        BpfRuntime* runtime,
        ulong context,
        ulong protocol,
        ulong tag,
        ulong r4,
        ulong r5
    ) => Error(Errno.ENODATA);

    private static ulong Error(int errno) => (uint)-errno;
}
