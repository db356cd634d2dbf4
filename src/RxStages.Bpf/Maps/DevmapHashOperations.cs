using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>Hot path of devmap hashes (kernel/bpf/devmap.c): devmaps whose keys are any numbers.</summary>
internal readonly unsafe struct DevmapHashOperations : IMapOperations
{
    public static byte* LookupElement(MapHeader* map, BpfRuntime* runtime, byte* key) =>
        HashOperations<Key4, FlatStore>.LookupElement(map, runtime, key);

    public static long UpdateElement(MapHeader* map, BpfRuntime* runtime, byte* key, byte* value, ulong flags) =>
        -Errno.EOPNOTSUPP;

    public static long DeleteElement(MapHeader* map, BpfRuntime* runtime, byte* key) => -Errno.EOPNOTSUPP;

    public static long Redirect(MapHeader* map, BpfRuntime* runtime, ulong key, ulong flags)
    {
        var index = (uint)key;
        var value = (ulong*)HashOperations<Key4, FlatStore>.LookupElement(map, runtime, (byte*)&index);
        // A value of 4 bytes has a slot of 8, and zeros behind it.
        var target = value is null ? 0 : Volatile.Read(ref *value);
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
