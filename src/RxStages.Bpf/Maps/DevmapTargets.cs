using System.Numerics;

namespace RxStages.Bpf.Maps;

/// <summary>One entry of a devmap, as a redirect sees it.</summary>
/// <param name="Interface">The interface's index.</param>
/// <param name="Program">The program on the entry, as <see cref="Runtime.RedirectTarget.Program"/> has it; 0: none.</param>
public readonly record struct DevmapTarget(uint Interface, nint Program);

/// <summary>All interfaces of a devmap, for a redirect to all of them (<see cref="RedirectFlags.Broadcast"/>).</summary>
public static unsafe class DevmapTargets
{
    /// <summary>Copies the entries of a devmap or devmap hash, as many as fit; allocates nothing.</summary>
    /// <returns>How many there were, which may be more than fit.</returns>
    public static int Copy(MapHeader* map, Span<DevmapTarget> targets)
    {
        var count = 0;
        if (map->Type == Objects.MapType.Devmap)
        {
            for (var i = 0u; i < map->MaxEntries; i++)
            {
                Add(RedirectMaps.Target(map, i), targets, ref count);
            }
            return count;
        }
        var table = (HashHeader*)map;
        for (ulong i = 0; i <= table->BucketMask; i++)
        {
            var bucket = table->Buckets + i;
            for (var used = ~HashBucket.Match(bucket, 0) & 0xff; used != 0; used &= used - 1)
            {
                Add(Value(table, bucket->Elements[BitOperations.TrailingZeroCount(used)]), targets, ref count);
            }
            var steps = table->Pool.Last;
            for (var index = bucket->Overflow; index != 0 && steps != 0; steps--)
            {
                Add(Value(table, index), targets, ref count);
                index = *(uint*)ElementPool.Element(&table->Pool, index);
            }
        }
        return count;
    }

    private static ulong Value(HashHeader* table, uint index) =>
        Volatile.Read(ref *(ulong*)ElementPool.Value(&table->Pool, index, 0));

    private static void Add(ulong entry, Span<DevmapTarget> targets, ref int count)
    {
        if (entry == 0)
        {
            return;
        }
        if (count < targets.Length)
        {
            targets[count] = new DevmapTarget((uint)entry, ProgramNumbers.Handle((uint)(entry >> 32)));
        }
        count++;
    }
}
