using System.Collections.Immutable;
using RxStages.Bpf.Network;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>Helpers that ask for routes and interfaces.</summary>
internal static unsafe class RouteHelpers
{
    // BPF_MTU_CHK_RET_FRAG_NEEDED
    private const ulong FragmentationNeeded = 1;

    internal static readonly ImmutableArray<HelperDefinition> Definitions =
    [
        new(
            69,
            "fib_lookup",
            ReturnType.Integer,
            [ArgumentType.Context, ArgumentType.UpdatedMemory, ArgumentType.Size, ArgumentType.Anything],
            LookUpRoute,
            "net/core/filter.c: bpf_xdp_fib_lookup",
            "Looks up the route of a packet, and its neighbour: interface, link layer addresses, gateway and MTU, or a BPF_FIB_LKUP_RET_* code that says why it is not forwarded. EINVAL for unknown flags and short structures, EAFNOSUPPORT, ENODEV."
        )
        {
            IsGplOnly = true,
            Difference =
                "Routes, neighbours and interfaces are those that the user gives; without any nothing is forwarded. There are no policy rules, so that a mark changes nothing, and which nexthop of several a flow takes follows from the seed.",
        },
        new(
            163,
            "check_mtu",
            ReturnType.Integer,
            [
                ArgumentType.Context,
                ArgumentType.Anything,
                Argument.UpdatedBytes(sizeof(uint)) with
                {
                    IsAligned = true,
                },
                ArgumentType.Anything,
                ArgumentType.Anything,
            ],
            CheckMtu,
            "net/core/filter.c: bpf_xdp_check_mtu",
            "Compares the packet's length, or the one given, with an interface's MTU (interface 0: the packet's own), which it also tells. EINVAL for flags, ENODEV."
        )
        {
            Difference =
                "Interfaces are those that the user gives; without any there are lo (1), with an MTU of 65536, and the one that the packet came in by, with 1500.",
        },
    ];

    private static ulong LookUpRoute(
        BpfRuntime* runtime,
        ulong context,
        ulong query,
        ulong size,
        ulong flags,
        ulong r5
    ) =>
        (ulong)
            FibLookup.Run(
                NetworkEnvironment.Of(runtime),
                (XdpBuff*)context,
                (BpfFibLookup*)query,
                (int)size,
                (FibLookupFlags)flags
            );

    private static ulong CheckMtu(
        BpfRuntime* runtime,
        ulong context,
        ulong ifindex,
        ulong mtuAddress,
        ulong difference,
        ulong flags
    )
    {
        var packet = (XdpBuff*)context;
        var mtu = (uint*)mtuAddress;
        if (flags != 0)
        {
            return unchecked((ulong)-Errno.EINVAL);
        }
        var index = (uint)ifindex == 0 ? packet->IngressIfindex : (uint)ifindex;
        if (NetworkEnvironment.Of(runtime).FindInterface(index, packet) is not { } network)
        {
            return unchecked((ulong)-Errno.ENODEV);
        }
        // The linear part, in the kernel too. Sums wrap there as they do here.
        var length = *mtu != 0 ? (int)*mtu + network.HeaderLength : (int)(packet->DataEnd - packet->Data);
        length += (int)difference;
        *mtu = (uint)network.Mtu;
        return length > network.Mtu + network.HeaderLength ? FragmentationNeeded : 0;
    }
}
