using System.Numerics;

namespace RxStages.Bpf.Maps;

/// <summary>All interfaces of a devmap, for a redirect to all of them (<see cref="RedirectFlags.Broadcast"/>).</summary>
public static unsafe class DevmapTargets
{
    /// <summary>Copies the interface indices of a devmap or devmap hash, as many as fit; allocates nothing.</summary>
    /// <returns>How many there were, which may be more than fit.</returns>
    public static int Copy(MapHeader* map, Span<uint> interfaces)
    {
        var count = 0;
        if (map->Type == Objects.MapType.Devmap)
        {
            for (var i = 0u; i < map->MaxEntries; i++)
            {
                Add((uint)RedirectMaps.Target(map, i), interfaces, ref count);
            }
            return count;
        }
        var table = (HashHeader*)map;
        for (ulong i = 0; i <= table->BucketMask; i++)
        {
            var bucket = table->Buckets + i;
            for (var used = ~HashBucket.Match(bucket, 0) & 0xff; used != 0; used &= used - 1)
            {
                Add(Value(table, bucket->Elements[BitOperations.TrailingZeroCount(used)]), interfaces, ref count);
            }
            var steps = table->Pool.Last;
            for (var index = bucket->Overflow; index != 0 && steps != 0; steps--)
            {
                Add(Value(table, index), interfaces, ref count);
                index = *(uint*)ElementPool.Element(&table->Pool, index);
            }
        }
        return count;
    }

    private static uint Value(HashHeader* table, uint index) => *(uint*)ElementPool.Value(&table->Pool, index, 0);

    private static void Add(uint interfaceIndex, Span<uint> interfaces, ref int count)
    {
        if (interfaceIndex == 0)
        {
            return;
        }
        if (count < interfaces.Length)
        {
            interfaces[count] = interfaceIndex;
        }
        count++;
    }
}
