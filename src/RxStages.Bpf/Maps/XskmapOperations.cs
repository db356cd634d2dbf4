using System.Runtime.CompilerServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// Hot path of xskmaps (net/xdp/xskmap.c): programs redirect by them, and look up whether there is a socket. What they may
/// read of it (<c>struct bpf_xdp_sock</c>) is its queue; here that is the entry's number.
/// </summary>
internal readonly unsafe struct XskmapOperations : IMapOperations
{
    public static byte* LookupElement(MapHeader* map, BpfRuntime* runtime, byte* key) =>
        (byte*)RedirectMaps.Find(map, Unsafe.ReadUnaligned<uint>(key));

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
            program: 0,
            isThere: target != 0,
            flags,
            allowed: 0
        );
    }
}
