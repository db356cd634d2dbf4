using System.Runtime.CompilerServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// Hot path of LRU hash maps (kernel/bpf/hashtab.c). Look-ups mark the element; updates take a new element, evicting others
/// if need be, before they know whether the key is there.
/// </summary>
internal readonly unsafe struct LruHashOperations<TKey> : IMapOperations
    where TKey : struct, IHashKey
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* LookupElement(MapHeader* map, BpfRuntime* runtime, byte* key)
    {
        var hashMap = (HashHeader*)map;
        var element = HashTable<TKey, LruStore>.Find(hashMap, key, out _);
        if (element is null)
        {
            return null;
        }
        LruElement.Mark(element);
        return element + hashMap->Pool.ValueOffset;
    }

    public static long UpdateElement(MapHeader* map, BpfRuntime* runtime, byte* key, byte* value, ulong flags) =>
        Update((HashHeader*)map, runtime->Cpu, key, value, flags);

    public static long DeleteElement(MapHeader* map, BpfRuntime* runtime, byte* key) =>
        LruElement.Delete<TKey>((HashHeader*)map, key);

    public static long Redirect(MapHeader* map, BpfRuntime* runtime, ulong key, ulong flags) => (long)XdpAction.Aborted;

    public static bool NextElement(MapHeader* map, BpfRuntime* runtime, MapCursor* cursor)
    {
        var hashMap = (HashHeader*)map;
        var index = HashTable<TKey, LruStore>.Next(hashMap, cursor);
        cursor->Value = ElementPool.Value(&hashMap->Pool, index, 0);
        return index != 0;
    }

    /// <summary>An update as by a CPU.</summary>
    internal static long Update(HashHeader* map, int cpu, byte* key, byte* value, ulong flags)
    {
        if (flags > UpdateFlags.Exist)
        {
            return -Errno.EINVAL;
        }
        var index = Lru.Take(map, cpu);
        if (index == 0)
        {
            return -Errno.ENOMEM;
        }
        var element = LruStore.Element(&map->Pool, index);
        TKey.Copy(map, key, element + LruStore.KeyOffset);
        ValueFields.Initialize(&map->Map, element + map->Pool.ValueOffset, value);

        var hash = TKey.Hash(map, key);
        var bucket = HashTable<TKey, LruStore>.Bucket(map, hash);
        HashBucket.Lock(bucket);
        var place = HashTable<TKey, LruStore>.FindPlace(map, bucket, hash, key);
        long error = UpdateFlags.Check(flags, place is not null);
        uint unused = 0;
        if (error != 0)
        {
            unused = index;
        }
        else if (place is null)
        {
            HashTable<TKey, LruStore>.Insert(map, bucket, hash, index);
        }
        else
        {
            unused = *place;
            LruElement.Mark(element);
            HashTable<TKey, LruStore>.Replace(map, bucket, place, index);
        }
        HashBucket.Unlock(bucket);
        if (unused != 0)
        {
            Lru.Return(map, unused);
        }
        return error;
    }
}

/// <summary>What the two LRU hash maps have in common.</summary>
internal static unsafe class LruElement
{
    /// <summary>Marks an element as looked up; writes only if it is not yet, to leave the cache line to other CPUs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Mark(byte* element)
    {
        var referenced = (uint*)(element + LruStore.ReferencedOffset);
        if (*referenced == 0)
        {
            *referenced = 1;
        }
    }

    internal static long Delete<TKey>(HashHeader* map, byte* key)
        where TKey : struct, IHashKey
    {
        var index = HashTable<TKey, LruStore>.RemoveKey(map, key);
        if (index == 0)
        {
            return -Errno.ENOENT;
        }
        Lru.Return(map, index);
        return 0;
    }
}
