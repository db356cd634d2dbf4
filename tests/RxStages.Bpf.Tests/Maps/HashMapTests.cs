using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;
using static RxStages.Bpf.Tests.Maps.MapBench;

namespace RxStages.Bpf.Tests.Maps;

public unsafe class HashMapTests
{
    public static TheoryData<MapType, uint, MapFlags> Shapes()
    {
        var shapes = new TheoryData<MapType, uint, MapFlags>();
        foreach (var keySize in new uint[] { 1, 3, 4, 8, 13, 16, 40 })
        {
            foreach (var type in new[] { MapType.Hash, MapType.PercpuHash })
            {
                shapes.Add(type, keySize, MapFlags.None);
                shapes.Add(type, keySize, MapFlags.NoPrealloc);
                shapes.Add(type, keySize, MapFlags.ZeroSeed);
            }
            shapes.Add(MapType.LruHash, keySize, MapFlags.None);
            shapes.Add(MapType.LruPercpuHash, keySize, MapFlags.NoCommonLru);
        }
        return shapes;
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void FlagsAndErrorsAreTheKernels(MapType type, uint keySize, MapFlags flags)
    {
        using var bench = new MapBench(type, keySize, 4, 64, flags);
        var key = Key(keySize, 1);
        Assert.Null(bench.Lookup(key));
        Assert.Equal(-Errno.ENOENT, bench.Delete(key));
        Assert.Equal(-Errno.ENOENT, bench.Update(key, U32(1), UpdateFlags.Exist));
        Assert.Equal(-Errno.EINVAL, bench.Update(key, U32(1), 3));
        Assert.Equal(0, bench.Update(key, U32(1), UpdateFlags.NoExist));
        Assert.Equal(-Errno.EEXIST, bench.Update(key, U32(2), UpdateFlags.NoExist));
        Assert.Equal(U32(1), bench.Lookup(key));
        Assert.Equal(0, bench.Update(key, U32(3), UpdateFlags.Exist));
        Assert.Equal(U32(3), bench.Lookup(key));
        Assert.Equal(0, bench.Update(key, U32(4)));
        Assert.Equal(U32(4), bench.Lookup(key));
        Assert.Null(bench.Lookup(Key(keySize, 2)));
        Assert.Equal(0, bench.Delete(key));
        Assert.Null(bench.Lookup(key));
        Assert.Equal(-Errno.ENOENT, bench.Map.Delete(key));
    }

    [Theory]
    [InlineData(MapType.Hash, MapFlags.None)]
    [InlineData(MapType.Hash, MapFlags.NoPrealloc)]
    [InlineData(MapType.PercpuHash, MapFlags.None)]
    [InlineData(MapType.PercpuHash, MapFlags.NoPrealloc)]
    public void AFullMapTakesNoNewKeyButStillChangesOldOnes(MapType type, MapFlags flags)
    {
        using var bench = new MapBench(type, 4, 8, 1000, flags);
        for (var i = 0u; i < 1000; i++)
        {
            Assert.Equal(0, bench.Update(U32(i * 7), U64(i)));
        }
        Assert.Equal(-Errno.E2BIG, bench.Update(U32(1), U64(1)));
        Assert.Equal(-Errno.ENOENT, bench.Update(U32(1), U64(1), UpdateFlags.Exist));
        Assert.Equal(-Errno.E2BIG, bench.Map.Update(U32(1), new byte[bench.Map.SyscallValueSize], UpdateFlags.Any));
        for (var i = 0u; i < 1000; i++)
        {
            Assert.Equal(U64(i), bench.Lookup(U32(i * 7)));
            Assert.Equal(0, bench.Update(U32(i * 7), U64(i + 1)));
        }
        Assert.Equal(0, bench.Delete(U32(14)));
        Assert.Equal(0, bench.Update(U32(1), U64(42)));
        Assert.Equal(-Errno.E2BIG, bench.Update(U32(2), U64(1)));
        Assert.Equal(1000, bench.Keys().Count);
    }

    [Fact]
    public void AnUpdateLeavesTheOldValueWhereAProgramMayHoldIt()
    {
        using var bench = new MapBench(MapType.Hash, 4, 8, 8);
        bench.Update(U32(1), U64(10));
        var old = bench.Address(U32(1));
        bench.Update(U32(1), U64(11));
        Assert.Equal(10UL, *(ulong*)old);
        Assert.Equal(11UL, *(ulong*)bench.Address(U32(1)));
        Assert.True(bench.Map.ContainsValue(old, 8));
    }

    [Theory]
    [InlineData(MapType.PercpuHash, MapFlags.None)]
    [InlineData(MapType.PercpuHash, MapFlags.NoPrealloc)]
    [InlineData(MapType.LruPercpuHash, MapFlags.None)]
    public void PerCpuValuesAreTheCpusOwn(MapType type, MapFlags flags)
    {
        using var bench = new MapBench(type, 4, 4, 8, flags);
        bench.Cpu = 1;
        Assert.Equal(0, bench.Update(U32(5), U32(7)));
        Assert.Equal([0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0], bench.SyscallLookup(U32(5)));
        bench.Cpu = 0;
        Assert.Equal(U32(0), bench.Lookup(U32(5)));
        Assert.Equal(0, bench.Update(U32(5), U32(3)));
        Assert.Equal([3, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0], bench.SyscallLookup(U32(5)));
        // An element that is used again has zeros for the other CPUs.
        Assert.Equal(0, bench.Delete(U32(5)));
        Assert.Equal(0, bench.Update(U32(6), U32(9)));
        Assert.Equal([9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], bench.SyscallLookup(U32(6)));
        Assert.Equal(0, bench.Map.Update(U32(6), [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0], UpdateFlags.Exist));
        Assert.Equal(U32(1), bench.Lookup(U32(6)));
        bench.Cpu = 1;
        Assert.Equal(U32(2), bench.Lookup(U32(6)));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void RandomOperationsGiveWhatADictionaryGives(MapType type, uint keySize, MapFlags flags)
    {
        // An LRU map that never fills evicts nothing.
        var isLru = type is MapType.LruHash or MapType.LruPercpuHash;
        var entries = isLru ? 2000u : 150u;
        using var bench = new MapBench(type, keySize, 12, entries, flags);
        var cpu = new int[1];
        var model = new Dictionary<string, byte[][]>();
        var random = new Random(12345);
        for (var step = 0; step < 3000; step++)
        {
            var key = Key(keySize, (uint)random.Next(200));
            var name = Convert.ToHexString(key);
            cpu[0] = bench.Map.SyscallValueSize > 12 ? random.Next(2) : 0;
            bench.Cpu = cpu[0];
            switch (random.Next(6))
            {
                case 0:
                case 1:
                case 2:
                    var value = new byte[12];
                    random.NextBytes(value);
                    var how = (ulong)random.Next(4);
                    Assert.Equal(Expected(), bench.Update(key, value, how));
                    long Expected()
                    {
                        var exists = model.TryGetValue(name, out var values);
                        var error =
                            how == 3 ? -Errno.EINVAL
                            : how == 1 && exists ? -Errno.EEXIST
                            : how == 2 && !exists ? -Errno.ENOENT
                            : !exists && model.Count == entries ? -Errno.E2BIG
                            : 0;
                        if (error == 0)
                        {
                            values ??= [new byte[12], new byte[12]];
                            values[cpu[0]] = value;
                            model[name] = values;
                        }
                        return error;
                    }
                    break;
                case 3:
                    Assert.Equal(model.Remove(name) ? 0 : -Errno.ENOENT, bench.Delete(key));
                    break;
                case 4:
                    Assert.Equal(model.GetValueOrDefault(name)?[cpu[0]], bench.Lookup(key));
                    break;
                default:
                    Assert.Equal(
                        model.GetValueOrDefault(name)?[0],
                        bench.SyscallLookup(key) is { } all ? all[..12] : null
                    );
                    break;
            }
        }
        Assert.Equal(model.Keys.Order(), bench.Keys().Select(Convert.ToHexString).Order());
    }

    [Fact]
    public void CollidingKeysHangBehindTheirBucket()
    {
        // Many more keys than the buckets of so small a map have slots.
        using var bench = new MapBench(MapType.Hash, 4, 4, 40);
        var header = (HashHeader*)bench.Map.Header;
        header->BucketMask = 0;
        for (var i = 0u; i < 40; i++)
        {
            Assert.Equal(0, bench.Update(U32(i), U32(i)));
        }
        for (var i = 0u; i < 40; i += 3)
        {
            Assert.Equal(0, bench.Update(U32(i), U32(i + 100)));
        }
        for (var i = 1u; i < 40; i += 3)
        {
            Assert.Equal(0, bench.Delete(U32(i)));
        }
        for (var i = 0u; i < 41; i++)
        {
            var expected =
                i == 40 || i % 3 == 1 ? null
                : i % 3 == 0 ? U32(i + 100)
                : U32(i);
            Assert.Equal(expected, bench.Lookup(U32(i)));
        }
    }

    [Theory]
    [InlineData(MapFlags.None)]
    [InlineData(MapFlags.NoPrealloc)]
    public void KeysThatAreOnlyAddedComeInTheirOrder(MapFlags flags)
    {
        using var bench = new MapBench(MapType.Hash, 8, 4, 100_000, flags);
        var keys = Enumerable.Range(0, 500).Select(i => U64((ulong)i * 0x9e3779b97f4a7c15)).ToList();
        keys.ForEach(key => Assert.Equal(0, bench.Update(key, U32(1))));
        Assert.Equal(keys, bench.Keys());
    }

    [Fact]
    public void ADeletedKeyMakesIterationBeginAgainAsInTheKernel()
    {
        using var bench = new MapBench(MapType.Hash, 4, 4, 10);
        bench.Update(U32(1), U32(1));
        bench.Update(U32(2), U32(1));
        var next = new byte[4];
        Assert.Equal(0, bench.Map.GetNextKey(U32(77), next));
        Assert.Equal(U32(1), next);
    }

    [Theory]
    [InlineData(MapType.Hash, MapFlags.None)]
    [InlineData(MapType.Hash, MapFlags.NoPrealloc)]
    [InlineData(MapType.PercpuHash, MapFlags.None)]
    [InlineData(MapType.PercpuHash, MapFlags.NoPrealloc)]
    [InlineData(MapType.LruHash, MapFlags.None)]
    [InlineData(MapType.LruPercpuHash, MapFlags.NoCommonLru)]
    public void ContainsValueKnowsTheSlots(MapType type, MapFlags flags)
    {
        using var bench = new MapBench(type, 4, 12, 3, flags);
        bench.Update(U32(1), new byte[12]);
        bench.Update(U32(2), new byte[12]);
        bench.Cpu = 1;
        var value = bench.Address(U32(2));
        Assert.True(bench.Map.ContainsValue(value, 12));
        Assert.True(bench.Map.ContainsValue(value + 8, 4));
        Assert.False(bench.Map.ContainsValue(value + 8, 5));
        Assert.False(bench.Map.ContainsValue(value + 12, 4));
        Assert.False(bench.Map.ContainsValue(value - 1, 1));
        Assert.False(bench.Map.ContainsValue(null, 1));
    }

    [Theory]
    [InlineData(4u, 8u)]
    [InlineData(16u, 8u)]
    [InlineData(13u, 40u)]
    [InlineData(40u, 100u)]
    public void ValuesAreAlignedToEightBytes(uint keySize, uint valueSize)
    {
        using var bench = new MapBench(MapType.Hash, keySize, valueSize, 100);
        for (var i = 0u; i < 100; i++)
        {
            bench.Update(Key(keySize, i), new byte[valueSize]);
            Assert.Equal(0, (nint)bench.Address(Key(keySize, i)) % 8);
        }
    }

    [Fact]
    public void AThinlyUsedMapWithoutPreallocationTakesLittleMemory()
    {
        // 2^20 entries of 64 KiB would be 64 GiB.
        using var bench = new MapBench(MapType.Hash, 4, 65536, 1 << 20, MapFlags.NoPrealloc);
        Assert.Equal(0, bench.Update(U32(1), new byte[65536]));
        Assert.NotNull(bench.Lookup(U32(1)));
    }

    [Fact]
    public void ThreadsThatUpdateAndLookUpNeverSeeATornValueOrLoseAKey()
    {
        const int keys = 64;
        var map = MapFactory.Create(MapBench.Spec(MapType.Hash, 4, 16, 200), new MapOptions { CpuCount = 3 });
        var wrong = 0;
        var threads = Enumerable
            .Range(0, 3)
            .Select(cpu => new Thread(() =>
            {
                var runtime = new BpfRuntime { Cpu = cpu };
                var random = new Random(cpu);
                var value = stackalloc ulong[2];
                for (var step = 0; step < 40_000; step++)
                {
                    // The first keys stay once they are there; the others come and go.
                    var key = (uint)random.Next(keys * 2);
                    value[0] = value[1] = ((ulong)step * 2654435761) + key;
                    switch (random.Next(key < keys ? 2 : 3))
                    {
                        case 0:
                            map.Header->UpdateElement(map.Header, &runtime, (byte*)&key, (byte*)value, 0);
                            break;
                        case 2:
                            map.Header->DeleteElement(map.Header, &runtime, (byte*)&key);
                            break;
                        default:
                            var found = (ulong*)map.Header->LookupElement(map.Header, &runtime, (byte*)&key);
                            if (found is not null && !map.ContainsValue((byte*)found, 16))
                            {
                                Interlocked.Increment(ref wrong);
                            }
                            break;
                    }
                }
            }))
            .ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.Equal(0, wrong);
        var left = new byte[4];
        var seen = new HashSet<uint>();
        for (byte[] key = []; map.GetNextKey(key, left) == 0; key = [.. left])
        {
            Assert.True(seen.Add(BitConverter.ToUInt32(left)));
            var value = new byte[16];
            Assert.Equal(0, map.Lookup(left, value));
            Assert.Equal(BitConverter.ToUInt64(value), BitConverter.ToUInt64(value, 8));
        }
        // All elements are accounted for: the map still takes exactly its number of entries.
        var cell = new byte[16];
        for (var key = 1000u; seen.Count < 200; key++)
        {
            Assert.Equal(0, map.Update(U32(key), cell, UpdateFlags.NoExist));
            seen.Add(key);
        }
        Assert.Equal(-Errno.E2BIG, map.Update(U32(999_999), cell, UpdateFlags.NoExist));
        map.Dispose();
    }

    private static byte[] Key(uint size, uint number)
    {
        var key = new byte[size];
        for (var i = 0; i < key.Length; i++)
        {
            key[i] = (byte)(number >> (8 * (i % 4)) ^ (i / 4));
        }
        return key;
    }
}
