using RxStages.Bpf.Errors;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Tests.Maps;

public sealed unsafe class ValueFieldTests
{
    private static readonly byte[] Key = MapBench.U32(1);
    private static readonly byte[] Value = [.. Enumerable.Range(1, 16).Select(i => (byte)i)];

    public static TheoryData<MapType, SpecialFieldKind> Types =>
        new()
        {
            { MapType.Array, SpecialFieldKind.SpinLock },
            { MapType.Hash, SpecialFieldKind.SpinLock },
            { MapType.LruHash, SpecialFieldKind.Timer },
            { MapType.PercpuArray, SpecialFieldKind.Kptr },
            { MapType.PercpuHash, SpecialFieldKind.Kptr },
            { MapType.LruPercpuHash, SpecialFieldKind.Kptr },
        };

    [Theory]
    [MemberData(nameof(Types))]
    public void CopiesPassOverThem(MapType type, SpecialFieldKind kind)
    {
        using var bench = new MapBench(Spec(type, kind));
        var expected = (byte[])Value.Clone();
        expected.AsSpan(4, 4).Clear();
        Assert.Equal(0, bench.Update(Key, Value));
        Assert.Equal(expected, bench.Lookup(Key));
        Assert.Equal(expected, bench.SyscallLookup(Key)![..16]);
        var address = bench.Address(Key);
        *(uint*)(address + 4) = 0x01010101;
        // What the kernel has there is not for others to see, and an update in place keeps it.
        Assert.Equal(expected, bench.SyscallLookup(Key)![..16]);
        var all = new byte[bench.Map.SyscallValueSize];
        Array.Fill(all, (byte)0xff);
        Assert.Equal(0, bench.Map.Update(Key, all, UpdateFlags.Any));
        Assert.Equal(type is MapType.Hash or MapType.LruHash ? 0u : 0x01010101, *(uint*)(bench.Address(Key) + 4));
        Assert.Equal(0xff, bench.Address(Key)[8]);
    }

    [Theory]
    [InlineData(MapType.Array)]
    [InlineData(MapType.Hash)]
    public void AnUpdateThatLocksWritesInPlace(MapType type)
    {
        using var bench = new MapBench(Spec(type, SpecialFieldKind.SpinLock));
        bench.Update(Key, Value);
        var address = bench.Address(Key);
        Assert.Equal(0, bench.Update(Key, [.. Value.Reverse()], UpdateFlags.Lock | UpdateFlags.Exist));
        Assert.True(address == bench.Address(Key));
        Assert.Equal(16, *address);
        Assert.Equal(0u, *(uint*)(address + 4));
        var value = new byte[16];
        Assert.Equal(0, bench.Map.Lookup(Key, value, UpdateFlags.Lock));
        Assert.Equal(16, value[0]);
    }

    [Fact]
    public void ALockIsWaitedFor()
    {
        using var bench = new MapBench(Spec(MapType.Array, SpecialFieldKind.SpinLock));
        var word = (int*)(bench.Address(Key) + 4);
        WordLock.Enter(word);
        var update = new Thread(() => bench.Map.Update(Key, Value, UpdateFlags.Lock));
        update.Start();
        Assert.Equal(0, bench.Address(Key)[0]);
        WordLock.Exit(word);
        update.Join();
        Assert.Equal(1, bench.Address(Key)[0]);
    }

    [Theory]
    [InlineData(MapType.Array)]
    [InlineData(MapType.Hash)]
    public void WithoutALockThereIsNothingToHold(MapType type)
    {
        using var bench = new MapBench(MapBench.Spec(type, 4, 16, 4));
        Assert.Equal(-Errno.EINVAL, bench.Update(Key, Value, UpdateFlags.Lock));
        Assert.Equal(-Errno.EINVAL, bench.Map.Update(Key, Value, UpdateFlags.Lock));
        Assert.Equal(-Errno.EINVAL, bench.Map.Lookup(Key, new byte[16], UpdateFlags.Lock));
    }

    [Theory]
    [InlineData(MapType.LruHash, SpecialFieldKind.SpinLock)]
    [InlineData(MapType.PercpuHash, SpecialFieldKind.Timer)]
    [InlineData(MapType.PercpuArray, SpecialFieldKind.SpinLock)]
    public void TypesTakeTheFieldsThatTheKernelsTake(MapType type, SpecialFieldKind kind) =>
        Assert.Contains(
            "EOPNOTSUPP",
            Assert.Throws<InputException>(() => MapFactory.Create(Spec(type, kind))).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData(MapType.SkStorage, SpecialFieldKind.SpinLock)]
    [InlineData(MapType.InodeStorage, SpecialFieldKind.SpinLock)]
    [InlineData(MapType.TaskStorage, SpecialFieldKind.Kptr)]
    [InlineData(MapType.CgrpStorage, SpecialFieldKind.UntrustedKptr)]
    public void StorageOfOtherProgramsIsDeclaredWithItsFields(MapType type, SpecialFieldKind kind)
    {
        var declared = Spec(type, kind) with
        {
            MaxEntries = 0,
            BtfKeyType = 1,
            BtfValueType = 2,
            Flags = MapFlags.NoPrealloc,
        };
        using var map = MapFactory.Create(declared);
        Assert.Equal(declared, map.Spec);
    }

    private static MapSpec Spec(MapType type, SpecialFieldKind kind) =>
        MapBench.Spec(type, 4, 16, 4) with
        {
            SpecialFields = [new SpecialField(kind, Offset: 4, Size: 4)],
        };
}
