using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Tests.Maps;

public sealed unsafe class MapCursorTests
{
    private const uint Entries = 300;

    public static TheoryData<MapType, MapFlags> Hashes =>
        new()
        {
            { MapType.Hash, MapFlags.None },
            { MapType.Hash, MapFlags.NoPrealloc },
            { MapType.PercpuHash, MapFlags.None },
            { MapType.LruHash, MapFlags.None },
            { MapType.LruPercpuHash, MapFlags.None },
        };

    [Theory]
    [InlineData(MapType.Array)]
    [InlineData(MapType.PercpuArray)]
    public void ArraysAreWalkedInTheOrderOfTheirIndices(MapType type)
    {
        using var bench = new MapBench(type, 4, 8, 5);
        bench.Cpu = 1;
        for (var i = 0u; i < 5; i++)
        {
            bench.Update(MapBench.U32(i), MapBench.U64(i * 10));
        }
        Assert.Equal([(0, 0), (1, 10), (2, 20), (3, 30), (4, 40)], Walk(bench));
        bench.Cpu = 0;
        Assert.Equal(type == MapType.Array ? 40ul : 0, Walk(bench)[4].Value);
    }

    [Theory]
    [MemberData(nameof(Hashes))]
    public void HashesAreWalkedOverEveryKeyOnce(MapType type, MapFlags flags)
    {
        using var bench = Filled(type, flags);
        Assert.Equal(Enumerable.Range(0, (int)Entries).Select(i => ((uint)i, (ulong)i * 3)), Walk(bench).Order());
    }

    [Theory]
    [MemberData(nameof(Hashes))]
    public void ThePresentKeyMayBeDeleted(MapType type, MapFlags flags)
    {
        using var bench = Filled(type, flags);
        Assert.Equal((int)Entries, Walk(bench, key => bench.Delete(MapBench.U32(key))).Count);
        Assert.Empty(Walk(bench));
        Assert.Empty(bench.Keys());
    }

    [Theory]
    [MemberData(nameof(Hashes))]
    public void ThePresentKeyMayBeUpdated(MapType type, MapFlags flags)
    {
        using var bench = Filled(type, flags);
        Assert.Equal((int)Entries, Walk(bench, key => bench.Update(MapBench.U32(key), MapBench.U64(7))).Count);
        Assert.All(Walk(bench), element => Assert.Equal(7u, element.Value));
    }

    [Fact]
    public void AWalkEndsHoweverTheMapChanges()
    {
        using var bench = Filled(MapType.Hash, MapFlags.None);
        var random = new Random(1);
        var steps = Walk(
            bench,
            _ =>
            {
                bench.Delete(MapBench.U32((uint)random.Next((int)Entries)));
                bench.Update(MapBench.U32((uint)random.Next(10_000)), MapBench.U64(1));
            }
        );
        Assert.True(steps.Count <= 4 * Entries);
    }

    [Theory]
    [InlineData(MapType.LpmTrie, 8, 1)]
    [InlineData(MapType.Devmap, 4, 0)]
    [InlineData(MapType.ProgArray, 4, 0)]
    public void OtherTypesHaveNothingToWalk(MapType type, uint keySize, uint flags)
    {
        using var bench = new MapBench(type, keySize, 4, 4, (MapFlags)flags);
        MapCursor cursor = default;
        Assert.False(bench.Map.Header->NextElement(bench.Map.Header, bench.Runtime, &cursor));
    }

    private static MapBench Filled(MapType type, MapFlags flags)
    {
        // Full, so that some buckets overflow; an LRU map has room to spare, or it would evict.
        var isLru = type is MapType.LruHash or MapType.LruPercpuHash;
        var bench = new MapBench(type, 4, 8, isLru ? 8 * Entries : Entries, flags);
        for (var i = 0u; i < Entries; i++)
        {
            Assert.Equal(0, bench.Update(MapBench.U32(i), MapBench.U64(i * 3)));
        }
        return bench;
    }

    private static List<(uint Key, ulong Value)> Walk(MapBench bench, Action<uint>? visit = null)
    {
        var elements = new List<(uint, ulong)>();
        MapCursor cursor = default;
        while (bench.Map.Header->NextElement(bench.Map.Header, bench.Runtime, &cursor))
        {
            elements.Add((*(uint*)cursor.Key, *(ulong*)cursor.Value));
            visit?.Invoke(*(uint*)cursor.Key);
        }
        return elements;
    }
}
