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
        if (!RedirectMaps.AreValid(flags, allowed: RedirectFlags.Broadcast | RedirectFlags.ExcludeIngress))
        {
            return (long)XdpAction.Aborted;
        }
        var target = RedirectMaps.Find(map, (uint)key);
        return RedirectMaps.Choose(
            map,
            runtime,
            target is not null,
            RedirectKind.Interface,
            target is null ? 0 : (uint)*target,
            flags
        );
    }
}
