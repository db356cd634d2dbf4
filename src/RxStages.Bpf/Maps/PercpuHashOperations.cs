using System.Runtime.CompilerServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// Hot path of per-CPU hash maps (kernel/bpf/hashtab.c). An update of a key that is there writes over this CPU's value; a
/// new key has zeros on all other CPUs.
/// </summary>
internal readonly unsafe struct PercpuHashOperations<TKey, TStore> : IMapOperations
    where TKey : struct, IHashKey
    where TStore : struct, IElementStore
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* LookupElement(MapHeader* map, BpfRuntime* runtime, byte* key)
    {
        var hashMap = (HashHeader*)map;
        return HashTable<TKey, TStore>.Find(hashMap, key, out var index) is null
            ? null
            : TStore.PerCpuValue(&hashMap->Pool, index, runtime->Cpu);
    }

    public static long UpdateElement(MapHeader* map, BpfRuntime* runtime, byte* key, byte* value, ulong flags) =>
        Update((HashHeader*)map, runtime->Cpu, key, value, flags);

    public static long DeleteElement(MapHeader* map, BpfRuntime* runtime, byte* key) =>
        HashOperations<TKey, TStore>.DeleteElement(map, runtime, key);

    public static long Redirect(MapHeader* map, BpfRuntime* runtime, ulong key, ulong flags) => (long)XdpAction.Aborted;

    public static bool NextElement(MapHeader* map, BpfRuntime* runtime, MapCursor* cursor)
    {
        var hashMap = (HashHeader*)map;
        var index = HashTable<TKey, TStore>.Next(hashMap, cursor);
        cursor->Value = ElementPool.Value(&hashMap->Pool, index, runtime->Cpu);
        return index != 0;
    }

    /// <summary>An update of a CPU's value, or of those of all (<see cref="PercpuElement.AllCpus"/>).</summary>
    internal static long Update(HashHeader* map, int cpu, byte* key, byte* value, ulong flags)
    {
        if (flags > UpdateFlags.Exist)
        {
            return -Errno.EINVAL;
        }
        var hash = TKey.Hash(map, key);
        var bucket = HashTable<TKey, TStore>.Bucket(map, hash);
        HashBucket.Lock(bucket);
        var place = HashTable<TKey, TStore>.FindPlace(map, bucket, hash, key);
        long error = UpdateFlags.Check(flags, place is not null);
        if (error == 0 && place is not null)
        {
            PercpuElement.Write(map, *place, cpu, value);
        }
        else if (error == 0)
        {
            var index = ElementPool.Take(&map->Pool);
            if (index == 0)
            {
                error = -Errno.E2BIG;
            }
            else
            {
                TKey.Copy(map, key, TStore.Element(&map->Pool, index) + TStore.KeyOffset);
                PercpuElement.Initialize(map, index, cpu, value);
                HashTable<TKey, TStore>.Insert(map, bucket, hash, index);
            }
        }
        HashBucket.Unlock(bucket);
        return error;
    }
}

/// <summary>The values of one element of a per-CPU hash map.</summary>
internal static unsafe class PercpuElement
{
    /// <summary>The CPU that stands for the system call, which gives the values of all CPUs.</summary>
    internal const int AllCpus = -1;

    /// <summary>Writes a CPU's value, or those of all.</summary>
    internal static void Write(HashHeader* map, uint index, int cpu, byte* value)
    {
        if (cpu != AllCpus)
        {
            ValueFields.Copy(&map->Map, ElementPool.Value(&map->Pool, index, cpu), value);
            return;
        }
        // Each is rounded up to 8 bytes there as here; what is behind the value is copied with it, as in the kernel.
        PerCpuValues.Write(&map->Map, ElementPool.Value(&map->Pool, index, 0), map->Pool.CpuStride, value);
    }

    /// <summary>Writes a CPU's value of a fresh element and zeros for the other CPUs, or the values of all.</summary>
    internal static void Initialize(HashHeader* map, uint index, int cpu, byte* value)
    {
        for (var i = 0; (cpu != AllCpus || map->Map.Fields is not null) && i < map->Map.CpuCount; i++)
        {
            Unsafe.InitBlockUnaligned(ElementPool.Value(&map->Pool, index, i), 0, map->Pool.PerCpuStride);
        }
        Write(map, index, cpu, value);
    }
}
