using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using static RxStages.Bpf.Tests.Maps.MapBench;

namespace RxStages.Bpf.Tests.Maps;

public unsafe class LruHashMapTests
{
    // Recorded from Linux 6.18 with two CPUs, all operations by system call on CPU 0: the number of keys left, and a hash
    // over all results, keys left and values.
    [Theory]
    [InlineData(MapType.LruHash, 16, MapFlags.None, 500, 40, 1, 14, 1991608849)]
    [InlineData(MapType.LruHash, 100, MapFlags.None, 5000, 300, 2, 91, 2774642910)]
    [InlineData(MapType.LruHash, 1000, MapFlags.None, 20000, 3000, 3, 911, 2901410047)]
    [InlineData(MapType.LruHash, 4000, MapFlags.None, 40000, 9000, 4, 3877, 2001546345)]
    [InlineData(MapType.LruHash, 64, MapFlags.NoCommonLru, 3000, 200, 5, 30, 29981155)]
    [InlineData(MapType.LruHash, 1000, MapFlags.NoCommonLru, 20000, 3000, 6, 498, 1250910058)]
    [InlineData(MapType.LruHash, 1, MapFlags.None, 50, 5, 7, 1, 2130076554)]
    [InlineData(MapType.LruPercpuHash, 16, MapFlags.None, 500, 40, 1, 13, 3831651270)]
    [InlineData(MapType.LruPercpuHash, 100, MapFlags.None, 5000, 300, 2, 82, 2894235940)]
    [InlineData(MapType.LruPercpuHash, 1000, MapFlags.None, 20000, 3000, 3, 933, 2641607950)]
    [InlineData(MapType.LruPercpuHash, 4000, MapFlags.None, 40000, 9000, 4, 3904, 1252160991)]
    [InlineData(MapType.LruPercpuHash, 64, MapFlags.NoCommonLru, 3000, 200, 5, 31, 2344175214)]
    [InlineData(MapType.LruPercpuHash, 1000, MapFlags.NoCommonLru, 20000, 3000, 6, 497, 1520428529)]
    [InlineData(MapType.LruPercpuHash, 1, MapFlags.None, 50, 5, 7, 1, 415568844)]
    public void OneCpuEvictsWhatTheKernelEvicts(
        MapType type,
        uint entries,
        MapFlags flags,
        int steps,
        uint space,
        uint seed,
        int keysLeft,
        uint recorded
    )
    {
        using var bench = new MapBench(type, 4, 4, entries, flags);
        var value = new byte[bench.Map.SyscallValueSize];
        var (state, hash) = (seed, 0u);
        for (var i = 0; i < steps; i++)
        {
            state = ((state * 1103515245) + 12345) & 0x7fffffff;
            var key = U32((state >> 8) % space);
            var operation = (state >> 3) % 8;
            BitConverter.TryWriteBytes(value, i);
            var result =
                operation == 6
                    ? bench.Map.Delete(key)
                    : bench.Map.Update(key, value, operation == 7 ? UpdateFlags.Exist : UpdateFlags.Any);
            hash = (hash * 31) + (uint)result;
        }
        var left = 0;
        for (var key = 0u; key < space; key++)
        {
            if (bench.SyscallLookup(U32(key)) is { } found)
            {
                left++;
                hash = (hash * 31) + (key * 7) + BitConverter.ToUInt32(found);
            }
        }
        Assert.Equal((keysLeft, recorded), (left, hash));
        Assert.Equal(left, bench.Keys().Count);
    }

    [Theory]
    [InlineData(MapType.LruHash, MapFlags.None)]
    [InlineData(MapType.LruHash, MapFlags.NoCommonLru)]
    [InlineData(MapType.LruPercpuHash, MapFlags.None)]
    [InlineData(MapType.LruPercpuHash, MapFlags.NoCommonLru)]
    public void UpdatesNeverFailForWantOfRoomAndTheNewestKeyIsThere(MapType type, MapFlags flags)
    {
        using var bench = new MapBench(type, 8, 8, 32, flags);
        for (var i = 0u; i < 5000; i++)
        {
            bench.Cpu = (int)(i % 2);
            Assert.Equal(0, bench.Update(U64(i), U64(i), UpdateFlags.NoExist));
            Assert.Equal(U64(i), bench.Lookup(U64(i)));
        }
        Assert.InRange(bench.Keys().Count, 1, 32);
    }

    [Fact]
    public void WhatProgramsLookUpSurvivesWhatTheyDoNot()
    {
        using var bench = new MapBench(MapType.LruHash, 4, 4, 4096);
        for (var i = 0u; i < 1000; i++)
        {
            bench.Update(U32(i), U32(i));
        }
        for (var i = 1000u; i < 20_000; i++)
        {
            bench.Update(U32(i), U32(i));
            // In use all the time, each often enough for the lists' turns.
            Assert.NotNull(bench.Lookup(U32(i % 100)));
        }
        for (var i = 0u; i < 100; i++)
        {
            Assert.NotNull(bench.SyscallLookup(U32(i)));
        }
        Assert.True(Enumerable.Range(100, 900).Count(i => bench.SyscallLookup(U32((uint)i)) is not null) < 90);
    }

    [Fact]
    public void WithAListPerCpuTheEntriesAreAMultipleOfTheCpus()
    {
        using var bench = new MapBench(MapBench.Spec(MapType.LruHash, 4, 4, 100, MapFlags.NoCommonLru), cpus: 3);
        Assert.Equal(102u, bench.Map.Header->MaxEntries);
    }

    [Fact]
    public void ThreadsThatFillItKeepItWhole()
    {
        var map = MapFactory.Create(MapBench.Spec(MapType.LruHash, 4, 8, 500), new MapOptions { CpuCount = 3 });
        var failures = 0;
        var threads = Enumerable
            .Range(0, 3)
            .Select(cpu => new Thread(() =>
            {
                var runtime = new RxStages.Bpf.Runtime.BpfRuntime { Cpu = cpu };
                var random = new Random(cpu);
                for (var step = 0; step < 25_000; step++)
                {
                    var key = (uint)random.Next(2000);
                    ulong value = key;
                    switch (random.Next(4))
                    {
                        case 0:
                            map.Header->DeleteElement(map.Header, &runtime, (byte*)&key);
                            break;
                        case 1:
                            map.Header->LookupElement(map.Header, &runtime, (byte*)&key);
                            break;
                        default:
                            // As in the kernel an update fails only while the others hold all elements: not with so many.
                            if (map.Header->UpdateElement(map.Header, &runtime, (byte*)&key, (byte*)&value, 0) != 0)
                            {
                                Interlocked.Increment(ref failures);
                            }
                            break;
                    }
                }
            }))
            .ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.Equal(0, failures);
        var next = new byte[4];
        var value = new byte[8];
        var count = 0;
        for (byte[] key = []; map.GetNextKey(key, next) == 0; key = [.. next])
        {
            Assert.Equal(0, map.Lookup(next, value));
            Assert.Equal(BitConverter.ToUInt32(next), BitConverter.ToUInt64(value));
            count++;
        }
        Assert.InRange(count, 1, 500);
        map.Dispose();
    }
}
