using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>Hot path of xskmaps (net/xdp/xskmap.c): programs redirect by them. The kernel also lets them look up a socket; there is nothing behind it here.</summary>
internal readonly unsafe struct XskmapOperations : IMapOperations
{
    public static byte* LookupElement(MapHeader* map, BpfRuntime* runtime, byte* key) => null;

    public static long UpdateElement(MapHeader* map, BpfRuntime* runtime, byte* key, byte* value, ulong flags) =>
        -Errno.EOPNOTSUPP;

    public static long DeleteElement(MapHeader* map, BpfRuntime* runtime, byte* key) => -Errno.EOPNOTSUPP;

    public static long Redirect(MapHeader* map, BpfRuntime* runtime, ulong key, ulong flags)
    {
        var target = RedirectMaps.Target(map, (uint)key);
        return RedirectMaps.Choose(
            map,
            runtime,
            RedirectKind.Socket,
            (uint)target,
            isThere: target != 0,
            flags,
            allowed: 0
        );
    }
}
