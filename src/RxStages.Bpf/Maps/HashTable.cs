using System.Numerics;
using System.Runtime.CompilerServices;

namespace RxStages.Bpf.Maps;

/// <summary>
/// The hash table under all hash maps. Look-ups take no lock: an element is published after it is filled in, and a look-up
/// that finds nothing while an update was at the bucket looks again. As in the kernel, an element that was taken out can be
/// in use again at once, so that a look-up that races with its removal may return it. Updates hold their bucket.
/// </summary>
internal static unsafe class HashTable<TKey, TStore>
    where TKey : struct, IHashKey
    where TStore : struct, IElementStore
{
    // A look-up that keeps meeting updates gives up after so many attempts: it never waits and never loops.
    private const int MaxAttempts = 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static HashBucket* Bucket(HashHeader* map, ulong hash) => map->Buckets + (hash & map->BucketMask);

    /// <summary>A key's element and its number, or null and 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static byte* Find(HashHeader* map, byte* key, out uint index)
    {
        var hash = TKey.Hash(map, key);
        var bucket = Bucket(map, hash);
        var version = Volatile.Read(ref bucket->Version);
        for (var matches = HashBucket.Match(bucket, HashBucket.Tag(hash)); matches != 0; matches &= matches - 1)
        {
            index = bucket->Elements[BitOperations.TrailingZeroCount(matches)];
            var element = TStore.Element(&map->Pool, index);
            if (TKey.Equal(map, key, element + TStore.KeyOffset))
            {
                return element;
            }
        }
        if (bucket->Overflow == 0 && (version & 1) == 0)
        {
            Volatile.ReadBarrier();
            if (bucket->Version == version)
            {
                index = 0;
                return null;
            }
        }
        return FindAgain(map, bucket, hash, key, out index);
    }

    /// <summary>A key's element number, or 0: <see cref="HashHeader.Find"/>.</summary>
    internal static uint FindIndex(HashHeader* map, byte* key)
    {
        Find(map, key, out var index);
        return index;
    }

    /// <summary>
    /// Where the number of a key's element stands, in a slot of the bucket or in a link of its overflow list; null if the
    /// key is not there. The caller holds the bucket.
    /// </summary>
    internal static uint* FindPlace(HashHeader* map, HashBucket* bucket, ulong hash, byte* key)
    {
        for (var matches = HashBucket.Match(bucket, HashBucket.Tag(hash)); matches != 0; matches &= matches - 1)
        {
            var place = bucket->Elements + BitOperations.TrailingZeroCount(matches);
            if (TKey.Equal(map, key, TStore.Element(&map->Pool, *place) + TStore.KeyOffset))
            {
                return place;
            }
        }
        for (var place = &bucket->Overflow; *place != 0; )
        {
            var element = TStore.Element(&map->Pool, *place);
            if (TKey.Equal(map, key, element + TStore.KeyOffset))
            {
                return place;
            }
            place = (uint*)element;
        }
        return null;
    }

    /// <summary>Publishes a filled-in element whose key is not in the table. The caller holds the bucket.</summary>
    internal static void Insert(HashHeader* map, HashBucket* bucket, ulong hash, uint index)
    {
        var empty = HashBucket.Match(bucket, 0);
        if (empty != 0)
        {
            var slot = BitOperations.TrailingZeroCount(empty);
            Volatile.Write(ref bucket->Elements[slot], index);
            Volatile.Write(ref bucket->Tags[slot], HashBucket.Tag(hash));
            return;
        }
        *(uint*)TStore.Element(&map->Pool, index) = bucket->Overflow;
        Volatile.Write(ref bucket->Overflow, index);
    }

    /// <summary>Puts a filled-in element in the place of another with the same key. The caller holds the bucket.</summary>
    internal static void Replace(HashHeader* map, HashBucket* bucket, uint* place, uint index)
    {
        if (!IsSlot(bucket, place))
        {
            *(uint*)TStore.Element(&map->Pool, index) = *(uint*)TStore.Element(&map->Pool, *place);
        }
        Volatile.Write(ref *place, index);
    }

    /// <summary>Takes out the element whose number stands at a place. The caller holds the bucket.</summary>
    internal static void Remove(HashHeader* map, HashBucket* bucket, uint* place)
    {
        if (IsSlot(bucket, place))
        {
            Volatile.Write(ref bucket->Tags[place - bucket->Elements], 0);
        }
        else
        {
            Volatile.Write(ref *place, *(uint*)TStore.Element(&map->Pool, *place));
        }
    }

    /// <summary>Takes out a key's element; its number, or 0 if the key is not there.</summary>
    internal static uint RemoveKey(HashHeader* map, byte* key)
    {
        var hash = TKey.Hash(map, key);
        var bucket = Bucket(map, hash);
        HashBucket.Lock(bucket);
        var place = FindPlace(map, bucket, hash, key);
        var index = place is null ? 0 : *place;
        if (index != 0)
        {
            Remove(map, bucket, place);
        }
        HashBucket.Unlock(bucket);
        return index;
    }

    /// <summary>Takes out an element by its number; false if it is not in the table.</summary>
    internal static bool RemoveElement(HashHeader* map, uint index)
    {
        var key = TStore.Element(&map->Pool, index) + TStore.KeyOffset;
        var hash = TKey.Hash(map, key);
        var bucket = Bucket(map, hash);
        HashBucket.Lock(bucket);
        var place = FindPlace(map, bucket, hash, key);
        var found = place is not null && *place == index;
        if (found)
        {
            Remove(map, bucket, place);
        }
        HashBucket.Unlock(bucket);
        return found;
    }

    /// <summary>Moves to the next element, bucket after bucket; its number, or 0 behind the last.</summary>
    internal static uint Next(HashHeader* map, MapCursor* cursor)
    {
        for (; cursor->Position <= map->BucketMask; cursor->Position++, cursor->Slot = 0)
        {
            var index = NextInBucket(map, map->Buckets + cursor->Position, cursor);
            if (index != 0)
            {
                cursor->Key = TStore.Element(&map->Pool, index) + TStore.KeyOffset;
                return index;
            }
        }
        return 0;
    }

    private static uint NextInBucket(HashHeader* map, HashBucket* bucket, MapCursor* cursor)
    {
        while (cursor->Slot < HashBucket.Ways)
        {
            var slot = cursor->Slot++;
            if (bucket->Tags[slot] != 0)
            {
                return bucket->Elements[slot];
            }
        }
        // The first step in the list begins it; the others go on behind an element that may be gone by now.
        var isFirst = cursor->Slot++ == HashBucket.Ways;
        var index = bucket->Overflow;
        for (var steps = map->Pool.Last; index != 0 && steps != 0; steps--)
        {
            var next = *(uint*)TStore.Element(&map->Pool, index);
            if (isFirst || index == cursor->Following)
            {
                cursor->Following = next;
                return index;
            }
            index = next;
        }
        return 0;
    }

    private static bool IsSlot(HashBucket* bucket, uint* place) =>
        place >= bucket->Elements && place < bucket->Elements + HashBucket.Ways;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static byte* FindAgain(HashHeader* map, HashBucket* bucket, ulong hash, byte* key, out uint index)
    {
        for (var attempt = 0; attempt < MaxAttempts; attempt++)
        {
            var version = Volatile.Read(ref bucket->Version);
            for (var matches = HashBucket.Match(bucket, HashBucket.Tag(hash)); matches != 0; matches &= matches - 1)
            {
                index = bucket->Elements[BitOperations.TrailingZeroCount(matches)];
                var element = TStore.Element(&map->Pool, index);
                if (TKey.Equal(map, key, element + TStore.KeyOffset))
                {
                    return element;
                }
            }
            // The list changes under the walk when its elements are used again elsewhere, hence the bound.
            index = Volatile.Read(ref bucket->Overflow);
            for (var steps = map->Pool.Last; index != 0 && steps != 0; steps--)
            {
                var element = TStore.Element(&map->Pool, index);
                if (TKey.Equal(map, key, element + TStore.KeyOffset))
                {
                    return element;
                }
                index = Volatile.Read(ref *(uint*)element);
            }
            Volatile.ReadBarrier();
            if ((version & 1) == 0 && bucket->Version == version)
            {
                break;
            }
        }
        index = 0;
        return null;
    }
}
