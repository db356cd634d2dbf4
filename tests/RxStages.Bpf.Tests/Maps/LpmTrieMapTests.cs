using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;
using static RxStages.Bpf.Tests.Maps.MapBench;

namespace RxStages.Bpf.Tests.Maps;

public class LpmTrieMapTests
{
    // The same sequence gave the same on Linux 6.18.
    [Fact]
    public void ErrorsAndOrderAreTheKernels()
    {
        using var bench = new MapBench(MapType.LpmTrie, 8, 4, 3, MapFlags.NoPrealloc);
        Assert.Equal(0, bench.Update(Ip(8, 10, 0, 0, 0), U32(1)));
        Assert.Equal(-Errno.EEXIST, bench.Update(Ip(8, 10, 9, 9, 9), U32(2), UpdateFlags.NoExist));
        Assert.Equal(-Errno.ENOENT, bench.Update(Ip(9, 10, 0, 0, 0), U32(2), UpdateFlags.Exist));
        Assert.Equal(-Errno.EINVAL, bench.Update(Ip(33, 10, 0, 0, 0), U32(2)));
        Assert.Equal(0, bench.Update(Ip(0, 10, 0, 0, 0), U32(9)));
        Assert.Equal(0, bench.Update(Ip(24, 10, 0, 1, 0), U32(3), UpdateFlags.NoExist));
        Assert.Equal(-Errno.ENOSPC, bench.Update(Ip(25, 10, 0, 1, 0), U32(3)));
        Assert.Equal(-Errno.ENOENT, bench.Update(Ip(25, 10, 0, 1, 0), U32(3), UpdateFlags.Exist));
        Assert.Equal(0, bench.Update(Ip(24, 10, 0, 1, 7), U32(5)));
        Assert.Equal(-Errno.EINVAL, bench.Update(Ip(24, 10, 0, 1, 7), U32(5), 3));
        Assert.Equal(U32(5), bench.Lookup(Ip(32, 10, 0, 1, 8)));
        Assert.Equal(U32(1), bench.Lookup(Ip(16, 10, 0, 1, 8)));
        Assert.Null(bench.Lookup(Ip(33, 10, 0, 1, 8)));
        Assert.Null(bench.SyscallLookup(Ip(33, 10, 0, 1, 8)));
        Assert.Equal(-Errno.EINVAL, bench.Delete(Ip(33, 1, 1, 1, 1)));
        Assert.Equal(-Errno.ENOENT, bench.Delete(Ip(7, 1, 1, 1, 1)));
        // A replaced entry's data is that of the last update, bits behind the prefix included.
        Assert.Equal([Ip(24, 10, 0, 1, 7), Ip(8, 10, 0, 0, 0), Ip(0, 10, 0, 0, 0)], bench.Keys());
    }

    [Fact]
    public void AReplacedValueStaysWhereAProgramMayHoldIt()
    {
        using var bench = new MapBench(MapType.LpmTrie, 8, 8, 10, MapFlags.NoPrealloc);
        bench.Update(Ip(8, 10, 0, 0, 0), U64(1));
        unsafe
        {
            var old = bench.Address(Ip(32, 10, 1, 1, 1));
            bench.Update(Ip(8, 10, 0, 0, 0), U64(2));
            bench.Update(Ip(9, 10, 0, 0, 0), U64(3));
            Assert.Equal(1UL, *(ulong*)old);
            Assert.True(bench.Map.ContainsValue(old, 8));
            Assert.False(bench.Map.ContainsValue(old - 1, 1));
            Assert.False(bench.Map.ContainsValue(old, 9));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(21)]
    public void RandomOperationsGiveWhatAScanOfAllPrefixesGives(int dataSize)
    {
        const int entries = 60;
        using var bench = new MapBench(MapType.LpmTrie, (uint)dataSize + 4, 4, entries, MapFlags.NoPrealloc);
        var model = new List<(byte[] Key, byte[] Value)>();
        var random = new Random(dataSize);
        for (var step = 0; step < 3000; step++)
        {
            var key = RandomKey(random, dataSize);
            var length = BitConverter.ToInt32(key);
            var at = model.FindIndex(entry => Length(entry.Key) == length && Common(entry.Key, key) >= length);
            switch (random.Next(6))
            {
                case 0:
                case 1:
                    var value = U32((uint)step);
                    var flags = (ulong)random.Next(3);
                    var error =
                        flags == 1 && at >= 0 ? -Errno.EEXIST
                        : flags == 2 && at < 0 ? -Errno.ENOENT
                        : at < 0 && model.Count == entries ? -Errno.ENOSPC
                        : 0;
                    Assert.Equal(error, bench.Update(key, value, flags));
                    if (error == 0 && at >= 0)
                    {
                        model[at] = (key, value);
                    }
                    else if (error == 0)
                    {
                        model.Add((key, value));
                    }
                    break;
                case 2:
                    Assert.Equal(at >= 0 ? 0 : -Errno.ENOENT, bench.Delete(key));
                    if (at >= 0)
                    {
                        model.RemoveAt(at);
                    }
                    break;
                default:
                    var best = model
                        .Where(entry => Length(entry.Key) <= length && Common(entry.Key, key) >= Length(entry.Key))
                        .OrderByDescending(entry => Length(entry.Key))
                        .Select(entry => entry.Value)
                        .FirstOrDefault();
                    Assert.Equal(best, bench.Lookup(key));
                    Assert.Equal(best, bench.SyscallLookup(key));
                    break;
            }
            if (step % 500 == 0)
            {
                CheckOrder(bench.Keys(), model.Select(entry => entry.Key));
            }
        }
        CheckOrder(bench.Keys(), model.Select(entry => entry.Key));
    }

    [Fact]
    public void NodesAreUsedAgain()
    {
        using var bench = new MapBench(MapType.LpmTrie, 8, 4, 16, MapFlags.NoPrealloc);
        for (var i = 0u; i < 100_000; i++)
        {
            Assert.Equal(0, bench.Update(Ip(32, 10, 0, (byte)(i >> 8), (byte)i), U32(i)));
            Assert.Equal(0, bench.Delete(Ip(32, 10, 0, (byte)(i >> 8), (byte)i)));
        }
        Assert.Empty(bench.Keys());
    }

    [Fact]
    public unsafe void LookUpsBesideUpdatesSeeThePrefixesThatStay()
    {
        using var bench = new MapBench(MapType.LpmTrie, 8, 4, 1000, MapFlags.NoPrealloc);
        bench.Update(Ip(8, 10, 0, 0, 0), U32(8));
        bench.Update(Ip(32, 10, 1, 2, 3), U32(32));
        var stop = 0;
        var updater = new Thread(() =>
        {
            var random = new Random(1);
            while (Volatile.Read(ref stop) == 0)
            {
                var key = Ip((uint)random.Next(9, 32), 10, (byte)random.Next(8), (byte)random.Next(8), 0);
                if (random.Next(2) == 0)
                {
                    bench.Map.Update(key, U32(99), UpdateFlags.Any);
                }
                else
                {
                    bench.Map.Delete(key);
                }
            }
        });
        updater.Start();
        var exact = Ip(32, 10, 1, 2, 3);
        var wide = Ip(32, 10, 200, 0, 0);
        for (var i = 0; i < 50_000; i++)
        {
            fixed (
                byte* e = exact,
                    w = wide
            )
            {
                var found = bench.Map.Header->LookupElement(bench.Map.Header, null, e);
                Assert.True(found is not null && *(uint*)found == 32);
                found = bench.Map.Header->LookupElement(bench.Map.Header, null, w);
                Assert.True(found is not null && *(uint*)found == 8);
            }
        }
        Volatile.Write(ref stop, 1);
        updater.Join();
    }

    // Every entry once; what is more specific before what contains it; else the smaller data first.
    private static void CheckOrder(List<byte[]> keys, IEnumerable<byte[]> expected)
    {
        Assert.Equal(expected.Select(Convert.ToHexString).Order(), keys.Select(Convert.ToHexString).Order());
        for (var i = 1; i < keys.Count; i++)
        {
            var (before, after) = (keys[i - 1], keys[i]);
            var shorter = Math.Min(Length(before), Length(after));
            var common = Common(before, after);
            Assert.True(
                common >= shorter ? Length(before) > Length(after) : Bit(before, common) < Bit(after, common),
                $"{Convert.ToHexString(before)} before {Convert.ToHexString(after)}"
            );
        }
    }

    private static byte[] RandomKey(Random random, int dataSize)
    {
        var key = new byte[dataSize + 4];
        BitConverter.TryWriteBytes(key, random.Next((dataSize * 8) + 1));
        for (var i = 4; i < key.Length; i++)
        {
            // Few different bytes, so that prefixes meet.
            key[i] = (byte)(random.Next(8) == 0 ? random.Next(256) : random.Next(2) << 7);
        }
        return key;
    }

    private static byte[] Ip(uint length, params byte[] data) => [.. U32(length), .. data];

    private static int Length(byte[] key) => BitConverter.ToInt32(key);

    private static int Bit(byte[] key, int bit) => (key[4 + (bit / 8)] >> (7 - (bit % 8))) & 1;

    private static int Common(byte[] left, byte[] right)
    {
        var bit = 0;
        while (bit < (left.Length - 4) * 8 && Bit(left, bit) == Bit(right, bit))
        {
            bit++;
        }
        return bit;
    }
}
