using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>Hot path of hashes of maps (kernel/bpf/hashtab.c): a look-up gives the map itself.</summary>
internal readonly unsafe struct HashOfMapsOperations<TKey, TStore> : IMapOperations
    where TKey : struct, IHashKey
    where TStore : struct, IElementStore
{
    public static byte* LookupElement(MapHeader* map, BpfRuntime* runtime, byte* key)
    {
        var value = HashOperations<TKey, TStore>.LookupElement(map, runtime, key);
        return value is null ? null : (byte*)Volatile.Read(ref *(nint*)value);
    }

    public static long UpdateElement(MapHeader* map, BpfRuntime* runtime, byte* key, byte* value, ulong flags) =>
        -Errno.EOPNOTSUPP;

    public static long DeleteElement(MapHeader* map, BpfRuntime* runtime, byte* key) => -Errno.EOPNOTSUPP;

    public static long Redirect(MapHeader* map, BpfRuntime* runtime, ulong key, ulong flags) => (long)XdpAction.Aborted;
}
