using System.Runtime.CompilerServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// Hot path of hash maps (kernel/bpf/hashtab.c). An update of a key that is there does not write over its value: as in the
/// kernel it puts another element in its place, so that a program that still holds the old value's address sees the old
/// value, and no look-up a torn one.
/// </summary>
internal readonly unsafe struct HashOperations<TKey, TStore> : IMapOperations
    where TKey : struct, IHashKey
    where TStore : struct, IElementStore
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* LookupElement(MapHeader* map, BpfRuntime* runtime, byte* key)
    {
        var hashMap = (HashHeader*)map;
        var element = HashTable<TKey, TStore>.Find(hashMap, key, out _);
        return element is null ? null : element + hashMap->Pool.ValueOffset;
    }

    public static long UpdateElement(MapHeader* map, BpfRuntime* runtime, byte* key, byte* value, ulong flags) =>
        Update((HashHeader*)map, runtime->Cpu, key, value, flags);

    public static long DeleteElement(MapHeader* map, BpfRuntime* runtime, byte* key)
    {
        var hashMap = (HashHeader*)map;
        var index = HashTable<TKey, TStore>.RemoveKey(hashMap, key);
        if (index == 0)
        {
            return -Errno.ENOENT;
        }
        ElementPool.Return(&hashMap->Pool, index);
        return 0;
    }

    public static long Redirect(MapHeader* map, BpfRuntime* runtime, ulong key, ulong flags) => (long)XdpAction.Aborted;

    public static bool NextElement(MapHeader* map, BpfRuntime* runtime, MapCursor* cursor)
    {
        var hashMap = (HashHeader*)map;
        var index = HashTable<TKey, TStore>.Next(hashMap, cursor);
        cursor->Value = ElementPool.Value(&hashMap->Pool, index, 0);
        return index != 0;
    }

    /// <summary>An update with the extra element of a CPU, or of the control path behind those of the CPUs.</summary>
    internal static long Update(HashHeader* map, int extra, byte* key, byte* value, ulong flags)
    {
        var isLocked = (flags & UpdateFlags.Lock) != 0;
        flags &= ~UpdateFlags.Lock;
        if (flags > UpdateFlags.Exist || (isLocked && !ValueFields.HasLock(&map->Map)))
        {
            return -Errno.EINVAL;
        }
        var hash = TKey.Hash(map, key);
        var bucket = HashTable<TKey, TStore>.Bucket(map, hash);
        HashBucket.Lock(bucket);
        var place = HashTable<TKey, TStore>.FindPlace(map, bucket, hash, key);
        long error = UpdateFlags.Check(flags, place is not null);
        if (error == 0 && place is null)
        {
            var index = ElementPool.Take(&map->Pool);
            if (index == 0)
            {
                error = -Errno.E2BIG;
            }
            else
            {
                Fill(map, index, key, value);
                HashTable<TKey, TStore>.Insert(map, bucket, hash, index);
            }
        }
        else if (error == 0 && isLocked)
        {
            // Written in place, for those who hold its address.
            ValueFields.CopyLocked(&map->Map, TStore.Element(&map->Pool, *place) + map->Pool.ValueOffset, value);
        }
        else if (error == 0)
        {
            var index = TakeExtra(map, extra);
            var old = *place;
            Fill(map, index, key, value);
            HashTable<TKey, TStore>.Replace(map, bucket, place, index);
            Volatile.Write(ref map->Extra[extra], old);
        }
        HashBucket.Unlock(bucket);
        return error;
    }

    private static void Fill(HashHeader* map, uint index, byte* key, byte* value)
    {
        var element = TStore.Element(&map->Pool, index);
        TKey.Copy(map, key, element + TStore.KeyOffset);
        ValueFields.Initialize(&map->Map, element + map->Pool.ValueOffset, value);
    }

    // Workers have an extra element of their own; only threads of the control path ever wait for each other here.
    private static uint TakeExtra(HashHeader* map, int extra)
    {
        var wait = default(SpinWait);
        while (true)
        {
            var index = Interlocked.Exchange(ref map->Extra[extra], 0);
            if (index != 0)
            {
                return index;
            }
            wait.SpinOnce(sleep1Threshold: -1);
        }
    }
}
