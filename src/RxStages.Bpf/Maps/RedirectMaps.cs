using System.Runtime.InteropServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>The native part of devmaps, cpumaps and xskmaps: maps whose entries are targets of redirects, by index.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RedirectMapHeader
{
    internal MapHeader Map;

    /// <summary>
    /// Per index the target, 0 where there is none. Devmap: interface index, program in the high half. Cpumap: length of
    /// the queue, program in the high half. Xskmap: the socket's number, 1 in the high half.
    /// </summary>
    internal ulong* Targets;
}

/// <summary>Flags of <c>bpf_redirect_map</c>, as in the kernel's <c>bpf.h</c>.</summary>
public static class RedirectFlags
{
    /// <summary>The bits that say what to return when there is no target.</summary>
    public const ulong ActionMask = 3;

    /// <summary><c>BPF_F_BROADCAST</c>: to all interfaces of the devmap.</summary>
    public const ulong Broadcast = 1 << 3;

    /// <summary><c>BPF_F_EXCLUDE_INGRESS</c>: but not to the one that the packet came in by.</summary>
    public const ulong ExcludeIngress = 1 << 4;
}

/// <summary>
/// What <c>bpf_redirect_map</c> does once the target is looked up (include/linux/filter.h: <c>__bpf_xdp_redirect_map</c>).
/// One thing differs: where there is no target, the kernel leaves the last one's index behind as if it were that of an
/// interface; here a program that returns XDP_REDIRECT all the same has no target.
/// </summary>
internal static unsafe class RedirectMaps
{
    /// <summary>Chooses the target, or does what the flags say where there is none.</summary>
    /// <param name="map">The map.</param>
    /// <param name="runtime">Gets the target.</param>
    /// <param name="kind">What kind of target the map has.</param>
    /// <param name="value">The target's number, if there is one.</param>
    /// <param name="program">The number of the program on the entry; 0: none.</param>
    /// <param name="isThere">Whether the key has a target.</param>
    /// <param name="flags">The program's flags.</param>
    /// <param name="allowed">The flags that the map's type has, beside the verdict to return without a target.</param>
    internal static long Choose(
        MapHeader* map,
        BpfRuntime* runtime,
        RedirectKind kind,
        uint value,
        uint program,
        bool isThere,
        ulong flags,
        ulong allowed
    )
    {
        if ((flags & ~(RedirectFlags.ActionMask | allowed)) != 0)
        {
            return (long)XdpAction.Aborted;
        }
        if ((flags & RedirectFlags.Broadcast) != 0)
        {
            runtime->Redirect = new RedirectTarget
            {
                Kind = RedirectKind.Broadcast,
                Flags = (ushort)flags,
                Map = map,
            };
            return (long)XdpAction.Redirect;
        }
        if (!isThere)
        {
            runtime->Redirect = default;
            return (long)(flags & RedirectFlags.ActionMask);
        }
        runtime->Redirect = new RedirectTarget
        {
            Kind = kind,
            Value = value,
            Map = map,
            Program = ProgramNumbers.Handle(program),
        };
        return (long)XdpAction.Redirect;
    }

    /// <summary>Where the target at an index stands; null if there is none.</summary>
    internal static ulong* Find(MapHeader* map, uint index) =>
        Target(map, index) == 0 ? null : ((RedirectMapHeader*)map)->Targets + index;

    /// <summary>The target at an index; 0 if there is none.</summary>
    internal static ulong Target(MapHeader* map, uint index) =>
        index < map->MaxEntries ? Volatile.Read(ref ((RedirectMapHeader*)map)->Targets[index]) : 0;
}
