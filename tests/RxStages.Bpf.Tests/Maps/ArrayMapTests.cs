using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;
using static RxStages.Bpf.Tests.Maps.MapBench;

namespace RxStages.Bpf.Tests.Maps;

public unsafe class ArrayMapTests
{
    [Theory]
    [InlineData(MapType.Array)]
    [InlineData(MapType.PercpuArray)]
    public void AllEntriesAreThereAndZero(MapType type)
    {
        using var bench = new MapBench(type, 4, 12, 3);
        Assert.Equal(new byte[12], bench.Lookup(U32(0)));
        Assert.Equal(new byte[12], bench.Lookup(U32(2)));
        Assert.Null(bench.Lookup(U32(3)));
        Assert.Null(bench.Lookup(U32(uint.MaxValue)));
        Assert.Null(bench.SyscallLookup(U32(3)));
        Assert.Equal([U32(0), U32(1), U32(2)], bench.Keys());
    }

    [Theory]
    [InlineData(MapType.Array)]
    [InlineData(MapType.PercpuArray)]
    public void ErrorsAreTheKernels(MapType type)
    {
        using var bench = new MapBench(type, 4, 8, 2);
        var value = new byte[8];
        var all = new byte[bench.Map.SyscallValueSize];
        Assert.Equal(-Errno.E2BIG, bench.Update(U32(2), value));
        Assert.Equal(-Errno.E2BIG, bench.Update(U32(2), value, UpdateFlags.NoExist));
        Assert.Equal(-Errno.EEXIST, bench.Update(U32(1), value, UpdateFlags.NoExist));
        Assert.Equal(-Errno.EINVAL, bench.Update(U32(1), value, 3));
        Assert.Equal(-Errno.EINVAL, bench.Update(U32(1), value, UpdateFlags.Lock));
        Assert.Equal(-Errno.E2BIG, bench.Update(U32(2), value, UpdateFlags.Lock));
        Assert.Equal(0, bench.Update(U32(1), value, UpdateFlags.Exist));
        Assert.Equal(-Errno.EINVAL, bench.Delete(U32(1)));
        Assert.Equal(-Errno.E2BIG, bench.Map.Update(U32(2), all, UpdateFlags.Any));
        Assert.Equal(-Errno.EEXIST, bench.Map.Update(U32(1), all, UpdateFlags.NoExist));
        Assert.Equal(-Errno.EINVAL, bench.Map.Update(U32(1), all, 3));
        Assert.Equal(-Errno.EINVAL, bench.Map.Delete(U32(1)));
    }

    [Fact]
    public void BothSidesSeeTheSameValue()
    {
        using var bench = new MapBench(MapType.Array, 4, 8, 4);
        Assert.Equal(0, bench.Update(U32(3), U64(7)));
        Assert.Equal(U64(7), bench.SyscallLookup(U32(3)));
        Assert.Equal(0, bench.Map.Update(U32(3), U64(8), UpdateFlags.Any));
        Assert.Equal(U64(8), bench.Lookup(U32(3)));
    }

    [Fact]
    public void ACpuSeesItsOwnValueAndTheSystemCallAll()
    {
        using var bench = new MapBench(MapType.PercpuArray, 4, 4, 2);
        bench.Cpu = 1;
        Assert.Equal(0, bench.Update(U32(0), U32(0xffffffff)));
        Assert.Equal([0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 0], bench.SyscallLookup(U32(0)));
        Assert.Equal(0, bench.Map.Update(U32(0), [1, 0, 0, 0, 9, 9, 9, 9, 2, 0, 0, 0, 9, 9, 9, 9], UpdateFlags.Any));
        Assert.Equal(U32(2), bench.Lookup(U32(0)));
        bench.Cpu = 0;
        Assert.Equal(U32(1), bench.Lookup(U32(0)));
        // As in the kernel, what lay behind a value in the system call's buffer stays behind it.
        Assert.Equal([1, 0, 0, 0, 9, 9, 9, 9, 2, 0, 0, 0, 9, 9, 9, 9], bench.SyscallLookup(U32(0)));
    }

    [Theory]
    [InlineData(MapType.Array)]
    [InlineData(MapType.PercpuArray)]
    public void ContainsValueKnowsTheSlots(MapType type)
    {
        using var bench = new MapBench(type, 4, 12, 3);
        var map = bench.Map;
        for (var cpu = 0; cpu < 2; cpu++)
        {
            bench.Cpu = cpu;
            var value = bench.Address(U32(2));
            Assert.True(map.ContainsValue(value, 12));
            Assert.True(map.ContainsValue(value + 11, 1));
            Assert.True(map.ContainsValue(value + 12, 0));
            Assert.False(map.ContainsValue(value + 12, 1));
            Assert.False(map.ContainsValue(value + 4, 12));
            Assert.False(map.ContainsValue(value - 1, 1));
            Assert.False(map.ContainsValue(value + 16, 1));
            Assert.False(map.ContainsValue(value, -1));
        }
        Assert.False(map.ContainsValue(null, 1));
        Assert.False(map.ContainsValue((byte*)ulong.MaxValue, 1));
        Assert.False(map.ContainsValue(bench.Address(U32(0)) - 8, 4));
    }

    [Fact]
    public void AnArraysLayoutIsKnownForInlineLookUps()
    {
        using var bench = new MapBench(MapType.PercpuArray, 4, 12, 5);
        var map = (ArrayMap)bench.Map;
        bench.Cpu = 1;
        Assert.True(bench.Address(U32(3)) == map.Values + map.CpuStride + (3 * map.Stride));
        Assert.Equal((nuint)16, map.Stride);
        Assert.Equal((nuint)0, map.CpuStride % 64);
        Assert.Equal(0, (nint)map.Values % 8);
    }

    [Fact]
    public void GlobalDataHasItsInitialValueAndConstantsAreFrozen()
    {
        var spec = MapBench.Spec(MapType.Array, 4, 6, 1, MapFlags.ReadOnlyProgram) with
        {
            InitialValue = [1, 2, 3],
            IsFrozen = true,
            IsGlobalData = true,
        };
        using var bench = new MapBench(spec);
        Assert.Equal([1, 2, 3, 0, 0, 0], bench.SyscallLookup(U32(0)));
        Assert.Equal(-Errno.EPERM, bench.Map.Update(U32(0), new byte[6], UpdateFlags.Any));
    }

    [Fact]
    public void AccessFlagsBindSystemCallsNotPrograms()
    {
        using var readOnly = new MapBench(MapType.Array, 4, 4, 1, MapFlags.ReadOnly);
        Assert.Equal(-Errno.EPERM, readOnly.Map.Update(U32(0), U32(1), UpdateFlags.Any));
        Assert.Equal(0, readOnly.Update(U32(0), U32(1)));
        Assert.Equal(U32(1), readOnly.SyscallLookup(U32(0)));
        using var writeOnly = new MapBench(MapType.Array, 4, 4, 1, MapFlags.WriteOnly);
        Assert.Equal(-Errno.EPERM, writeOnly.Map.Lookup(U32(0), new byte[4]));
        Assert.Equal(-Errno.EPERM, writeOnly.Map.GetNextKey([], new byte[4]));
        Assert.Equal(0, writeOnly.Map.Update(U32(0), U32(5), UpdateFlags.Any));
        Assert.Equal(U32(5), writeOnly.Lookup(U32(0)));
    }
}
