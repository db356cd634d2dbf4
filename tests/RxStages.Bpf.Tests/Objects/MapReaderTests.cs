using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Tests.Objects;

public class MapReaderTests
{
    public static TheoryData<string> Maps => TestObjects.CompiledFrom("maps");

    public static TheoryData<string> Globals => TestObjects.CompiledFrom("globals");

    public static TheoryData<string> Legacy =>
        [.. TestObjects.CompiledFrom("legacy"), "legacy.clang-14.nobtf", "legacy.clang-19.nobtf"];

    [Theory]
    [MemberData(nameof(Maps))]
    public void AttributesAreThoseOfTheSource(string name)
    {
        var spec = TestObjects.Read(name);
        Assert.Equal(
            ["bloom", "events", "flat", "inner_one", "inner_two", "outer", "ports", "sizes", "steps", "trie"],
            spec.Maps.Select(map => map.Name).Order()
        );
        var trie = Map(spec, "trie");
        Assert.Equal(
            (MapType.LpmTrie, MapFlags.NoPrealloc, 100u, 8u, 4u),
            (trie.Type, trie.Flags, trie.MaxEntries, trie.KeySize, trie.ValueSize)
        );
        Assert.Equal("key", spec.Btf![trie.BtfKeyType].Name);
        Assert.Equal("__u32", spec.Btf[trie.BtfValueType].Name);
        var sizes = Map(spec, "sizes");
        Assert.Equal(
            (MapType.Hash, MapFlags.NumaNode, 1u, 6u, 24u, true),
            (sizes.Type, sizes.Flags, sizes.NumaNode, sizes.KeySize, sizes.ValueSize, sizes.PinByName)
        );
        var bloom = Map(spec, "bloom");
        Assert.Equal((0u, 8u, 3ul), (bloom.KeySize, bloom.ValueSize, bloom.Extra));
        Assert.Equal(5ul, Map(spec, "flat").Extra);
        Assert.Equal("Dual BSD/GPL", spec.License);
    }

    [Theory]
    [MemberData(nameof(Maps))]
    public void ARingBufferIsAsLargeAsTheNextSizeThatTheKernelTakes(string name)
    {
        var events = Map(TestObjects.Read(name), "events");
        Assert.Equal((MapType.Ringbuf, 8192u), (events.Type, events.MaxEntries));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 4096)]
    [InlineData(4096, 4096)]
    [InlineData(4097, 8192)]
    [InlineData(3 * 4096, 4 * 4096)]
    [InlineData(1u << 31, 1u << 31)]
    [InlineData((1u << 31) + 1, (1u << 31) + 1)]
    public void SizesOfRingBuffersAreRoundedUpToPowersOfTwoOfPages(uint written, uint size) =>
        Assert.Equal(size, MapReader.RingbufSize(written));

    [Theory]
    [MemberData(nameof(Maps))]
    public void TypesOfKeysAndValuesAreLeftOutWhereTheKernelTakesNone(string name)
    {
        var ports = Map(TestObjects.Read(name), "ports");
        Assert.Equal((MapType.Devmap, 4u, 8u), (ports.Type, ports.KeySize, ports.ValueSize));
        Assert.Equal((0, 0), (ports.BtfKeyType, ports.BtfValueType));
    }

    [Theory]
    [MemberData(nameof(Maps))]
    public void AProgArrayKnowsItsStaticPrograms(string name)
    {
        var steps = Map(TestObjects.Read(name), "steps");
        Assert.Equal((MapType.ProgArray, 4u, 4u), (steps.Type, steps.KeySize, steps.ValueSize));
        Assert.Equal(
            new Dictionary<uint, string> { [1] = "first_step", [3] = "second_step" },
            steps.InitialPrograms.ToDictionary()
        );
    }

    [Theory]
    [MemberData(nameof(Maps))]
    public void AMapOfMapsKnowsItsStaticMapsAndWhatTheyLookLike(string name)
    {
        var outer = Map(TestObjects.Read(name), "outer");
        Assert.Equal(
            new Dictionary<uint, string> { [0] = "inner_two", [2] = "inner_one" },
            outer.InitialMaps.ToDictionary()
        );
        Assert.Equal(
            (MapType.Array, 4u, 8u, 2u),
            (outer.Inner!.Type, outer.Inner.KeySize, outer.Inner.ValueSize, outer.Inner.MaxEntries)
        );
    }

    [Theory]
    [MemberData(nameof(Legacy))]
    public void OldDefinitionsOfAnySizeAreRead(string name)
    {
        var spec = TestObjects.Read(name);
        Assert.Equal(["counters", "ports", "sources"], spec.Maps.Select(map => map.Name).Order());
        var sources = Map(spec, "sources");
        Assert.Equal(
            (MapType.Hash, 16u, 4u, 1000u, MapFlags.NoPrealloc),
            (sources.Type, sources.KeySize, sources.ValueSize, sources.MaxEntries, sources.Flags)
        );
        Assert.Equal(MapType.PercpuArray, Map(spec, "counters").Type);
        Assert.Equal(3u, Map(spec, "ports").MaxEntries);
        Assert.Equal("xdp_filter", spec.FindProgram("filter").Section);
    }

    [Theory]
    [MemberData(nameof(Globals))]
    public void EverySectionOfVariablesIsAnArrayOfOne(string name)
    {
        var maps = TestObjects.Read(name).Maps.Where(map => map.IsGlobalData).ToArray();
        Assert.Equal(
            [".bss", ".data", ".data.own", ".rodata", ".rodata.str1.1"],
            maps.Select(map => map.Name).Order(StringComparer.Ordinal)
        );
        Assert.All(maps, map => Assert.Equal((MapType.Array, 4u, 1u), (map.Type, map.KeySize, map.MaxEntries)));
        Assert.All(maps, map => Assert.Equal(map.Name.StartsWith(".rodata", StringComparison.Ordinal), map.IsFrozen));
        Assert.All(maps, map => Assert.Equal(map.IsFrozen, map.Flags == MapFlags.ReadOnlyProgram));
        Assert.All(maps, map => Assert.Equal(map.Name == ".bss" ? 0 : (int)map.ValueSize, map.InitialValue.Length));
        Assert.Equal([7, 0, 0, 0], maps.Single(map => map.Name == ".data.own").InitialValue);
        Assert.Equal(24u, maps.Single(map => map.Name == ".bss").ValueSize);
    }

    private static MapSpec Map(ObjectSpec spec, string name) => spec.Maps.Single(map => map.Name == name);
}
