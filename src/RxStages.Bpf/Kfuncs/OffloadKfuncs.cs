using System.Collections.Immutable;
using RxStages.Bpf.Helpers;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Kfuncs;

/// <summary>Kfuncs that look up flows and IPsec states, of which there are none: the answers are those of such a host.</summary>
internal static unsafe class OffloadKfuncs
{
    // sizeof(struct bpf_fib_lookup), struct bpf_flowtable_opts and struct bpf_xfrm_state_opts
    private const int FibLookupSize = 64;
    private const int FlowOptionsSize = 4;
    private const int StateOptionsSize = 36;

    // What struct bpf_xfrm_state_opts has behind its error, and who asks for the namespace that the packet is in.
    private const int NamespaceOffset = 4;
    private const int CurrentNamespace = -1;

    // AF_INET, AF_INET6
    private const byte Ipv4 = 2;
    private const byte Ipv6 = 10;

    internal static readonly ImmutableArray<KfuncDefinition> Definitions =
    [
        new(
            "bpf_xdp_flow_lookup",
            ReturnType.BtfPointerOrNull,
            [
                ArgumentType.Context,
                Argument.UpdatedBytes(FibLookupSize),
                Argument.UpdatedBytes(FlowOptionsSize),
                ArgumentType.Scalar,
            ],
            FlowLookup,
            "net/netfilter/nf_flow_table_bpf.c: bpf_xdp_flow_lookup",
            "The flow of a packet in a flow table: null and ENOENT, since no interface has one; EINVAL for a wrong size, EAFNOSUPPORT for other families."
        )
        {
            ReturnBtfType = "flow_offload_tuple_rhash",
            Difference = "There are no flow tables.",
        },
        new(
            "bpf_xdp_get_xfrm_state",
            ReturnType.BtfPointerOrNull,
            [ArgumentType.Context, ArgumentType.UpdatedMemory, ArgumentType.SizeOrZero],
            GetState,
            "net/xfrm/xfrm_state_bpf.c: bpf_xdp_get_xfrm_state",
            "An IPsec state: null and ENOENT, since there are none; EINVAL for a wrong size or namespace, ENONET for one that is not there."
        )
        {
            Acquires = true,
            ReturnBtfType = "xfrm_state",
            Difference = "There are no IPsec states, and only one namespace.",
        },
        new(
            "bpf_xdp_xfrm_state_release",
            ReturnType.Void,
            [new(ArgumentType.ReleasedBtfPointer) { BtfType = "xfrm_state" }],
            ReleaseState,
            "net/xfrm/xfrm_state_bpf.c: bpf_xdp_xfrm_state_release",
            "Gives an IPsec state back."
        ),
    ];

    private static ulong FlowLookup(
        BpfRuntime* runtime,
        ulong context,
        ulong tuple,
        ulong options,
        ulong optionsSize,
        ulong r5
    )
    {
        *(int*)options =
            (uint)optionsSize != FlowOptionsSize ? -Errno.EINVAL
            : *(byte*)tuple is Ipv4 or Ipv6 ? -Errno.ENOENT
            : -Errno.EAFNOSUPPORT;
        return 0;
    }

    private static ulong GetState(
        BpfRuntime* runtime,
        ulong context,
        ulong options,
        ulong optionsSize,
        ulong r4,
        ulong r5
    )
    {
        if ((uint)optionsSize < sizeof(int))
        {
            return 0;
        }
        var error = -Errno.EINVAL;
        if ((uint)optionsSize == StateOptionsSize)
        {
            error = *(int*)(options + NamespaceOffset) switch
            {
                < CurrentNamespace => -Errno.EINVAL,
                CurrentNamespace => -Errno.ENOENT,
                _ => -Errno.ENONET,
            };
        }
        *(int*)options = error;
        return 0;
    }

    private static ulong ReleaseState(BpfRuntime* runtime, ulong state, ulong r2, ulong r3, ulong r4, ulong r5) => 0;
}
