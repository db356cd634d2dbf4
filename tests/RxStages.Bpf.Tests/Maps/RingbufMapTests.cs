using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Tests.Maps;

public sealed unsafe class RingbufMapTests : IDisposable
{
    private const int Size = 4096;

    private readonly RingbufMap _map = (RingbufMap)MapFactory.Create(MapBench.Spec(MapType.Ringbuf, 0, 0, Size));

    private RingbufHeader* Ring => (RingbufHeader*)_map.Header;

    public void Dispose() => _map.Dispose();

    [Fact]
    public void RecordsAreReadInTheOrderInWhichTheyWereReserved()
    {
        var first = Reserve(8);
        var second = Reserve(3);
        *(ulong*)first = 1;
        second[0] = 2;
        RingbufOperations.Commit(second, discard: false);
        Assert.Empty(Consume());
        RingbufOperations.Commit(first, discard: false);
        Assert.Equal(["0100000000000000", "020000"], Consume());
        Assert.Empty(Consume());
    }

    [Fact]
    public void DiscardedRecordsArePassedOver()
    {
        Output([1]);
        RingbufOperations.Commit(Reserve(8), discard: true);
        Output([2]);
        Assert.Equal(["01", "02"], Consume());
        Assert.Equal(0ul, RingbufOperations.Query(Ring, RingbufFlags.AvailableData));
    }

    [Theory]
    [InlineData(Size - 16, true)]
    [InlineData(Size - 8, false)]
    [InlineData(Size, false)]
    [InlineData(1ul << 30, false)]
    [InlineData(ulong.MaxValue, false)]
    public void ARecordIsSmallerThanTheRing(ulong length, bool fits) =>
        Assert.Equal(fits, RingbufOperations.Reserve(Ring, length) is not null);

    [Fact]
    public void AFullRingTakesRecordsAgainOnceItIsRead()
    {
        var count = 0;
        while (Output([1, 2, 3, 4, 5, 6, 7, 8]) == 0)
        {
            count++;
        }
        // The positions may be one byte less than the size apart.
        Assert.Equal((Size / 16) - 1, count);
        Assert.Equal(-Errno.EAGAIN, Output([1]));
        Assert.Equal(count, Consume().Count);
        Assert.Equal(0, Output([1]));
    }

    [Fact]
    public void AnOpenRecordHoldsTheRingEvenIfAllOthersAreRead()
    {
        Output([0]);
        Consume();
        var open = Reserve(8);
        var count = 0;
        while (Output([1, 2, 3, 4, 5, 6, 7, 8]) == 0)
        {
            count++;
        }
        Assert.Equal((Size / 16) - 2, count);
        RingbufOperations.Commit(open, discard: false);
        Assert.Equal(-Errno.EAGAIN, Output([1]));
    }

    [Fact]
    public void ARecordIsWholeWhereverTheRingWraps()
    {
        var random = new Random(1);
        for (var i = 0; i < 2000; i++)
        {
            var record = new byte[random.Next(1, Size / 2)];
            random.NextBytes(record);
            Assert.Equal(0, Output(record));
            Assert.Equal(Convert.ToHexStringLower(record), Assert.Single(Consume()));
        }
    }

    [Fact]
    public void PositionsAreTheKernels()
    {
        Output([1, 2, 3]);
        Output(new byte[16]);
        Assert.Equal(16ul + 24, RingbufOperations.Query(Ring, RingbufFlags.ProducerPosition));
        Assert.Equal(40ul, RingbufOperations.Query(Ring, RingbufFlags.AvailableData));
        Assert.Equal((ulong)Size, RingbufOperations.Query(Ring, RingbufFlags.RingSize));
        _map.Consume(_ => { }, most: 1);
        Assert.Equal(16ul, RingbufOperations.Query(Ring, RingbufFlags.ConsumerPosition));
        Assert.Equal(0ul, RingbufOperations.Query(Ring, 4));
    }

    [Theory]
    [InlineData(RingbufFlags.NoWakeup, 0)]
    [InlineData(RingbufFlags.ForceWakeup, 0)]
    [InlineData(RingbufFlags.NoWakeup | RingbufFlags.ForceWakeup, 0)]
    [InlineData(4, -Errno.EINVAL)]
    public void OnlyFlagsAboutWakingAreTaken(ulong flags, long expected)
    {
        ulong data = 0;
        Assert.Equal(expected, RingbufOperations.Output(Ring, (byte*)&data, 8, flags));
    }

    [Fact]
    public void OnlyOpenRecordsAreWritable()
    {
        Assert.False(_map.ContainsValue(null, 1));
        var record = Reserve(8);
        Assert.True(_map.ContainsValue(record, 8));
        Assert.True(_map.ContainsValue(record + 7, 1));
        Assert.False(_map.ContainsValue(record + 1, 8));
        Assert.False(_map.ContainsValue(record - 8, 8));
        RingbufOperations.Commit(record, discard: false);
        Assert.False(_map.ContainsValue(record, 8));
    }

    [Fact]
    public void ProducersAndTheConsumerWorkAtOnce()
    {
        const int Producers = 3;
        const int Records = 5_000;
        var read = Enumerable.Range(0, Producers).Select(_ => new List<ulong>()).ToArray();
        var threads = Enumerable
            .Range(0, Producers)
            .Select(producer => new Thread(() => Produce(producer, Records)))
            .ToList();
        threads.ForEach(thread => thread.Start());
        while (read.Sum(list => list.Count) < Producers * Records)
        {
            _map.Consume(record =>
            {
                var value = BitConverter.ToUInt64(record);
                Assert.All(record[8..].ToArray(), filler => Assert.Equal((byte)value, filler));
                read[(int)(value >> 32)].Add((uint)value);
            });
        }
        threads.ForEach(thread => thread.Join());
        Assert.All(read, list => Assert.Equal(Enumerable.Range(0, Records).Select(i => (ulong)i), list));
    }

    private void Produce(int producer, int records)
    {
        var attempts = 0;
        for (var i = 0; i < records; )
        {
            var length = 8 + (i % 40);
            var record = RingbufOperations.Reserve(Ring, (ulong)length);
            if (record is null)
            {
                Thread.Yield();
                continue;
            }
            *(ulong*)record = ((ulong)producer << 32) | (uint)i;
            new Span<byte>(record + 8, length - 8).Fill((byte)i);
            // Now and then one that does not count, and is then written again.
            var discard = i % 7 == 3 && ++attempts % 2 == 1;
            RingbufOperations.Commit(record, discard);
            i += discard ? 0 : 1;
        }
    }

    private byte* Reserve(ulong length)
    {
        var record = RingbufOperations.Reserve(Ring, length);
        Assert.True(record is not null);
        return record;
    }

    private long Output(byte[] data)
    {
        fixed (byte* bytes = data)
        {
            return RingbufOperations.Output(Ring, bytes, (ulong)data.Length, 0);
        }
    }

    private List<string> Consume()
    {
        var records = new List<string>();
        _map.Consume(record => records.Add(Convert.ToHexStringLower(record)));
        return records;
    }
}
