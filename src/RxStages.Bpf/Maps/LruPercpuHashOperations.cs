using System.Runtime.CompilerServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// Hot path of LRU per-CPU hash maps (kernel/bpf/hashtab.c). As in the kernel an update with BPF_EXIST takes no element,
/// any other one does, even if the key turns out to be there.
/// </summary>
internal readonly unsafe struct LruPercpuHashOperations<TKey> : IMapOperations
    where TKey : struct, IHashKey
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* LookupElement(MapHeader* map, BpfRuntime* runtime, byte* key)
    {
        var hashMap = (HashHeader*)map;
        var element = HashTable<TKey, LruStore>.Find(hashMap, key, out var index);
        if (element is null)
        {
            return null;
        }
        LruElement.Mark(element);
        return LruStore.PerCpuValue(&hashMap->Pool, index, runtime->Cpu);
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
        cursor->Value = ElementPool.Value(&hashMap->Pool, index, runtime->Cpu);
        return index != 0;
    }

    /// <summary>An update of a CPU's value, or of those of all (<see cref="PercpuElement.AllCpus"/>) with CPU 0's list.</summary>
    internal static long Update(HashHeader* map, int cpu, byte* key, byte* value, ulong flags)
    {
        if (flags > UpdateFlags.Exist)
        {
            return -Errno.EINVAL;
        }
        uint index = 0;
        if (flags != UpdateFlags.Exist)
        {
            index = Lru.Take(map, Math.Max(cpu, 0));
            if (index == 0)
            {
                return -Errno.ENOMEM;
            }
        }
        var hash = TKey.Hash(map, key);
        var bucket = HashTable<TKey, LruStore>.Bucket(map, hash);
        HashBucket.Lock(bucket);
        var place = HashTable<TKey, LruStore>.FindPlace(map, bucket, hash, key);
        long error = UpdateFlags.Check(flags, place is not null);
        if (error == 0 && place is not null)
        {
            LruElement.Mark(LruStore.Element(&map->Pool, *place));
            PercpuElement.Write(map, *place, cpu, value);
        }
        else if (error == 0)
        {
            TKey.Copy(map, key, LruStore.Element(&map->Pool, index) + LruStore.KeyOffset);
            PercpuElement.Initialize(map, index, cpu, value);
            HashTable<TKey, LruStore>.Insert(map, bucket, hash, index);
            index = 0;
        }
        HashBucket.Unlock(bucket);
        if (index != 0)
        {
            Lru.Return(map, index);
        }
        return error;
    }
}
