using System.Runtime.CompilerServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>Hot path of devmaps (kernel/bpf/devmap.c): programs redirect by them and may look at their entries.</summary>
internal readonly unsafe struct DevmapOperations : IMapOperations
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
            RedirectKind.Interface,
            (uint)target,
            program: (uint)(target >> 32),
            isThere: target != 0,
            flags,
            allowed: RedirectFlags.Broadcast | RedirectFlags.ExcludeIngress
        );
    }
}
