using System.Collections.Immutable;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>Helpers that choose where a packet goes when the program then returns <see cref="XdpAction.Redirect"/>.</summary>
internal static unsafe class RedirectHelpers
{
    internal static readonly ImmutableArray<HelperDefinition> Definitions =
    [
        new(
            23,
            "redirect",
            ReturnType.Integer,
            [ArgumentType.Anything, ArgumentType.Anything],
            Redirect,
            "net/core/filter.c: bpf_xdp_redirect",
            "Chooses an interface by index and returns XDP_REDIRECT; XDP_ABORTED if there are flags."
        ),
        new(
            51,
            "redirect_map",
            ReturnType.Integer,
            [ArgumentType.ConstMapPointer, ArgumentType.Anything, ArgumentType.Anything],
            RedirectMap,
            "net/core/filter.c: bpf_xdp_redirect_map; include/linux/filter.h: __bpf_xdp_redirect_map",
            "Chooses the target at a key of a devmap, cpumap or xskmap and returns XDP_REDIRECT; the low two bits of the flags if there is none."
        ),
    ];

    private static ulong Redirect(BpfRuntime* runtime, ulong ifindex, ulong flags, ulong r3, ulong r4, ulong r5)
    {
        if (flags != 0)
        {
            return (ulong)XdpAction.Aborted;
        }
        runtime->Redirect = new RedirectTarget { Kind = RedirectKind.Interface, Value = (uint)ifindex };
        return (ulong)XdpAction.Redirect;
    }

    private static ulong RedirectMap(BpfRuntime* runtime, ulong map, ulong key, ulong flags, ulong r4, ulong r5) =>
        (ulong)((MapHeader*)map)->Redirect((MapHeader*)map, runtime, key, flags);
}
