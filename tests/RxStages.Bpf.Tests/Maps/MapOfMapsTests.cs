using RxStages.Bpf.Errors;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Tests.Maps;

public sealed unsafe class MapOfMapsTests
{
    private static readonly MapSpec Inner = MapBench.Spec(MapType.Hash, 4, 8, 10);

    public static TheoryData<MapType> Types => [MapType.ArrayOfMaps, MapType.HashOfMaps];

    [Theory]
    [MemberData(nameof(Types))]
    public void ALookUpGivesTheMapItself(MapType type)
    {
        using var bench = new MapBench(Spec(type));
        using var inner = MapFactory.Create(Inner);
        var outer = (IMapOfMaps)bench.Map;
        Assert.True(bench.Address(MapBench.U32(1)) is null);
        Assert.Equal(0, outer.SetMap(MapBench.U32(1), inner));
        Assert.True(bench.Address(MapBench.U32(1)) == (byte*)inner.Header);
        Assert.Same(inner, outer.GetMap(MapBench.U32(1)));
        Assert.Same(inner, bench.Map.WithHeader((nuint)inner.Header));
        var value = bench.SyscallLookup(MapBench.U32(1));
        Assert.Equal(MapBench.U32(inner.Header->Id), value);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void ADeletedMapIsNotFoundButStaysKnown(MapType type)
    {
        using var bench = new MapBench(Spec(type));
        using var inner = MapFactory.Create(Inner);
        var outer = (IMapOfMaps)bench.Map;
        outer.SetMap(MapBench.U32(1), inner);
        Assert.Equal(0, bench.Map.Delete(MapBench.U32(1)));
        Assert.Equal(-Errno.ENOENT, bench.Map.Delete(MapBench.U32(1)));
        Assert.True(bench.Address(MapBench.U32(1)) is null);
        Assert.Null(outer.GetMap(MapBench.U32(1)));
        Assert.Same(inner, Assert.Single(outer.InnerMaps));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void TheValuesOfItsMapsAreItsOwn(MapType type)
    {
        using var bench = new MapBench(Spec(type));
        using var inner = new MapBench(Inner);
        inner.Update(MapBench.U32(3), MapBench.U64(4));
        var value = inner.Address(MapBench.U32(3));
        Assert.False(bench.Map.ContainsValue(value, 8));
        ((IMapOfMaps)bench.Map).SetMap(MapBench.U32(0), inner.Map);
        Assert.True(bench.Map.ContainsValue(value, 8));
    }

    [Theory]
    [InlineData(MapType.Hash, 4, 8, 11, 0, 0)]
    [InlineData(MapType.Hash, 8, 8, 10, 0, -Errno.EINVAL)]
    [InlineData(MapType.Hash, 4, 4, 10, 0, -Errno.EINVAL)]
    [InlineData(MapType.Hash, 4, 8, 10, 1, -Errno.EINVAL)]
    [InlineData(MapType.LruHash, 4, 8, 10, 0, -Errno.EINVAL)]
    public void OnlyMapsLikeTheTemplateFit(MapType type, uint key, uint value, uint entries, uint flags, int expected)
    {
        using var bench = new MapBench(Spec(MapType.ArrayOfMaps));
        using var inner = MapFactory.Create(MapBench.Spec(type, key, value, entries, (MapFlags)flags));
        Assert.Equal(expected, ((IMapOfMaps)bench.Map).SetMap(MapBench.U32(0), inner));
    }

    [Theory]
    [InlineData(MapFlags.None, -Errno.EINVAL)]
    [InlineData(MapFlags.InnerMap, 0)]
    public void ArraysDifferInSizeOnlyIfTheySaySo(MapFlags flags, int expected)
    {
        var spec = Spec(MapType.ArrayOfMaps) with { Inner = MapBench.Spec(MapType.Array, 4, 8, 2, flags) };
        using var bench = new MapBench(spec);
        using var inner = MapFactory.Create(MapBench.Spec(MapType.Array, 4, 8, 3, flags));
        Assert.Equal(expected, ((IMapOfMaps)bench.Map).SetMap(MapBench.U32(0), inner));
    }

    [Fact]
    public void AnEntryMustBeInRange()
    {
        using var bench = new MapBench(Spec(MapType.ArrayOfMaps));
        using var inner = MapFactory.Create(Inner);
        var outer = (IMapOfMaps)bench.Map;
        Assert.Equal(-Errno.E2BIG, outer.SetMap(MapBench.U32(4), inner));
        Assert.Equal(-Errno.EINVAL, outer.SetMap(MapBench.U32(1), inner, UpdateFlags.NoExist));
        Assert.Equal(-Errno.EBADF, bench.Map.Update(MapBench.U32(1), MapBench.U32(3), 0));
    }

    [Fact]
    public void AHashOfMapsKnowsWhatItHas()
    {
        using var bench = new MapBench(Spec(MapType.HashOfMaps));
        using var inner = MapFactory.Create(Inner);
        var outer = (IMapOfMaps)bench.Map;
        Assert.Equal(-Errno.ENOENT, outer.SetMap(MapBench.U32(7), inner, UpdateFlags.Exist));
        Assert.Equal(0, outer.SetMap(MapBench.U32(7), inner, UpdateFlags.NoExist));
        Assert.Equal(-Errno.EEXIST, outer.SetMap(MapBench.U32(7), inner, UpdateFlags.NoExist));
        Assert.Equal([MapBench.U32(7)], bench.Keys());
    }

    [Fact]
    public void AnOwnedMapEndsWithItsOwner()
    {
        var bench = new MapBench(Spec(MapType.ArrayOfMaps));
        var inner = MapFactory.Create(Inner);
        ((IMapOfMaps)bench.Map).SetMap(MapBench.U32(0), inner, owns: true);
        bench.Dispose();
        Assert.Empty(((IMapOfMaps)bench.Map).InnerMaps);
    }

    [Fact]
    public void ATemplateIsNeededAndMustBeOneLevelDeep()
    {
        Assert.Contains("EINVAL", Refusal(Spec(MapType.ArrayOfMaps) with { Inner = null }), StringComparison.Ordinal);
        Assert.Contains(
            "EINVAL",
            Refusal(Spec(MapType.HashOfMaps) with { Inner = Spec(MapType.HashOfMaps) }),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "ENOTSUPP",
            Refusal(Spec(MapType.HashOfMaps) with { Inner = MapBench.Spec(MapType.ProgArray, 4, 4, 1) }),
            StringComparison.Ordinal
        );
    }

    private static string Refusal(MapSpec spec) => Assert.Throws<InputException>(() => MapFactory.Create(spec)).Message;

    private static MapSpec Spec(MapType type) => MapBench.Spec(type, 4, 4, 4) with { Inner = Inner };
}
