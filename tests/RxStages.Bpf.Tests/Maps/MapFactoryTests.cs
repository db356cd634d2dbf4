using RxStages.Bpf.Errors;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Tests.Maps;

// What is refused, and the error that the message names, is what Linux 6.18 says to the same definition.
public class MapFactoryTests
{
    [Theory]
    [InlineData(MapType.Array, 4, 0, 1, 0, "EINVAL")]
    [InlineData(MapType.Array, 8, 4, 1, 0, "EINVAL")]
    [InlineData(MapType.Array, 4, 4, 0, 0, "EINVAL")]
    [InlineData(MapType.Array, 4, 4, 1, 1, "EINVAL")]
    [InlineData(MapType.Array, 4, 4, 1, 0x180, "EINVAL")]
    [InlineData(MapType.Array, 4, 4, 1, 0x18, "EINVAL")]
    [InlineData(MapType.PercpuArray, 4, 32769, 1, 0, "E2BIG")]
    [InlineData(MapType.PercpuArray, 4, 4, 1, 1 << 10, "EINVAL")]
    [InlineData(MapType.PercpuArray, 4, 4, 1, 1 << 12, "EINVAL")]
    [InlineData(MapType.ProgArray, 4, 8, 1, 0, "EINVAL")]
    [InlineData(MapType.ProgArray, 4, 4, 1, 1 << 7, "EINVAL")]
    [InlineData(MapType.ProgArray, 4, 4, 1, 1 << 10, "EINVAL")]
    [InlineData(MapType.Hash, 0, 4, 1, 0, "EINVAL")]
    [InlineData(MapType.Hash, 4, 0, 1, 0, "EINVAL")]
    [InlineData(MapType.Hash, 4, 4, 0, 0, "EINVAL")]
    [InlineData(MapType.Hash, 4, 4, 1, 2, "EINVAL")]
    [InlineData(MapType.Hash, 4, 4, 1, 1 << 10, "EINVAL")]
    [InlineData(MapType.Hash, 4, 4194252, 1, 0, "E2BIG")]
    [InlineData(MapType.Hash, 4, 4, 2147483649, 1, "E2BIG")]
    [InlineData(MapType.PercpuHash, 4, 32769, 1, 0, "E2BIG")]
    [InlineData(MapType.LruHash, 4, 4, 1, 1, "ENOTSUPP")]
    [InlineData(MapType.LruPercpuHash, 4, 4, 1, 1, "ENOTSUPP")]
    [InlineData(MapType.LpmTrie, 8, 4, 1, 0, "EINVAL")]
    [InlineData(MapType.LpmTrie, 4, 4, 1, 1, "EINVAL")]
    [InlineData(MapType.LpmTrie, 261, 4, 1, 1, "EINVAL")]
    [InlineData(MapType.LpmTrie, 8, 0, 1, 1, "EINVAL")]
    [InlineData(MapType.Devmap, 4, 4, 0, 0, "EINVAL")]
    [InlineData(MapType.Devmap, 8, 4, 1, 0, "EINVAL")]
    [InlineData(MapType.Devmap, 4, 6, 1, 0, "EINVAL")]
    [InlineData(MapType.Devmap, 4, 4, 1, 1, "EINVAL")]
    [InlineData(MapType.DevmapHash, 4, 4, 1, 1 << 7, "EINVAL")]
    [InlineData(MapType.Cpumap, 4, 4, 8193, 0, "E2BIG")]
    [InlineData(MapType.Cpumap, 4, 4, 1, 8, "EINVAL")]
    [InlineData(MapType.Xskmap, 4, 8, 1, 0, "EINVAL")]
    [InlineData(MapType.Xskmap, 4, 4, 1, 1, "EINVAL")]
    public void WhatTheKernelRefusesIsRefused(
        MapType type,
        uint keySize,
        uint valueSize,
        uint entries,
        uint flags,
        string error
    )
    {
        var spec = MapBench.Spec(type, keySize, valueSize, entries, (MapFlags)flags) with { Name = "refused" };
        var exception = Assert.Throws<InputException>(() => MapFactory.Create(spec));
        Assert.StartsWith("map refused: ", exception.Message, StringComparison.Ordinal);
        Assert.EndsWith($"the kernel answers {error})", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(MapType.Array, 4, 4, 1, 1 << 10)]
    [InlineData(MapType.Array, 4, 4, 1, 1 << 12)]
    [InlineData(MapType.PercpuArray, 4, 32768, 1, 0)]
    [InlineData(MapType.Hash, 4, 4194251, 1, 0)]
    [InlineData(MapType.Hash, 4, 4, 1, 1 << 6)]
    [InlineData(MapType.LruHash, 4, 4, 1, 2)]
    [InlineData(MapType.LpmTrie, 260, 4, 1, 1)]
    [InlineData(MapType.LpmTrie, 8, 4194014, 1, 1)]
    [InlineData(MapType.LpmTrie, 8, 4, uint.MaxValue, 1)]
    [InlineData(MapType.Devmap, 4, 8, 1, 1 << 3)]
    [InlineData(MapType.Xskmap, 4, 4, 1, 1 << 3)]
    public void WhatTheKernelTakesIsTaken(MapType type, uint keySize, uint valueSize, uint entries, uint flags)
    {
        using var map = MapFactory.Create(MapBench.Spec(type, keySize, valueSize, entries, (MapFlags)flags));
        Assert.Equal(type, map.Spec.Type);
    }

    [Fact]
    public void AnUnknownTypeIsNamed() =>
        Assert.Contains(
            "maps of type StructOps are not supported",
            Assert.Throws<InputException>(() => MapFactory.Create(MapBench.Spec(MapType.StructOps, 4, 4, 1))).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData(MapType.Array, 4, 1 << 20, 1 << 20)]
    [InlineData(MapType.PercpuArray, 4, 32768, uint.MaxValue)]
    [InlineData(MapType.Hash, 4, 1 << 20, 1 << 20)]
    [InlineData(MapType.LruHash, 260, 1 << 20, 1u << 31)]
    [InlineData(MapType.Devmap, 4, 4, uint.MaxValue)]
    public void AMapOutOfProportionIsRefused(MapType type, uint keySize, uint valueSize, uint entries) =>
        Assert.Contains(
            "memory limit",
            Assert
                .Throws<InputException>(() => MapFactory.Create(MapBench.Spec(type, keySize, valueSize, entries)))
                .Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void LargeMemoryIsAdvisedOn()
    {
        var advised = new List<(nint Address, nuint Size)>();
        var options = new MapOptions { Advice = (address, size) => advised.Add((address, size)) };
        using var map = MapFactory.Create(MapBench.Spec(MapType.Array, 4, 8, 1 << 20), options);
        var (at, bytes) = Assert.Single(advised);
        Assert.Equal(8u << 20, bytes);
        Assert.Equal(0, at % (2 << 20));
        advised.Clear();
        using var small = MapFactory.Create(MapBench.Spec(MapType.Array, 4, 8, 1 << 10), options);
        Assert.Empty(advised);
    }

    [Fact]
    public void MapsOfOneProcessHaveDifferentNumbers()
    {
        using var first = MapFactory.Create(MapBench.Spec(MapType.Array, 4, 8, 1));
        using var second = MapFactory.Create(MapBench.Spec(MapType.Array, 4, 8, 1));
        unsafe
        {
            Assert.NotEqual(first.Header->Id, second.Header->Id);
        }
    }
}
