using RxStages.Bpf.Helpers;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Tests.Maps;

public sealed unsafe class PerfEventArrayMapTests : IDisposable
{
    private const ulong CurrentCpu = uint.MaxValue;

    private readonly MapBench _bench = new(MapBench.Spec(MapType.PerfEventArray, 4, 4, 2), cpus: 3);

    private PerfEventArrayMap Map => (PerfEventArrayMap)_bench.Map;

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void WithoutAReaderThereIsNoEvent()
    {
        Assert.Equal(-Errno.ENOENT, Output([1], CurrentCpu));
        Map.OpenAll();
        Assert.Equal(0, Output([1], CurrentCpu));
        Map.Delete(MapBench.U32(0));
        Assert.Equal(-Errno.ENOENT, Output([1], CurrentCpu));
        Assert.Single(Consume());
    }

    [Theory]
    [InlineData(1ul << 52, -Errno.EINVAL)]
    [InlineData(1ul << 63, -Errno.EINVAL)]
    [InlineData(7ul << 32, -Errno.EFAULT)]
    [InlineData(6ul << 32, 0)]
    [InlineData(1, -Errno.EOPNOTSUPP)]
    [InlineData(2, -Errno.E2BIG)]
    public void FlagsSayWhereAndHowMuchOfThePacket(ulong flags, long expected)
    {
        Map.OpenAll();
        Assert.Equal(expected, Output([1], flags));
    }

    [Fact]
    public void ACpuBeyondTheArrayHasNoIndex()
    {
        Map.OpenAll();
        _bench.Cpu = 2;
        Assert.Equal(-Errno.E2BIG, Output([1], CurrentCpu));
    }

    [Fact]
    public void AnEventHasTheDataThenThePacketThenZeros()
    {
        Map.OpenAll();
        Output([1, 2, 3], CurrentCpu | (5ul << 32));
        Output([], CurrentCpu);
        Assert.Equal([(0u, "010203a0a1a2b0b100000000", 0ul), (0u, "00000000", 0ul)], Consume());
    }

    [Fact]
    public void WhatDoesNotFitIsCountedWithTheNextThatDoes()
    {
        Map.Open(0, pages: 1);
        var written = 0;
        while (Output(new byte[100], CurrentCpu) == 0)
        {
            written++;
        }
        Assert.Equal(4096 / 112, written);
        Assert.Equal(-Errno.ENOSPC, Output(new byte[100], CurrentCpu));
        Assert.Equal(written, Consume().Count);
        Output([9], CurrentCpu);
        Output([8], CurrentCpu);
        Assert.Equal([2ul, 0ul], Consume().Select(item => item.Lost));
    }

    [Fact]
    public void EventsAreWholeWhereverTheRingWraps()
    {
        Map.Open(0, pages: 1);
        for (var i = 0; i < 1000; i++)
        {
            var data = Enumerable.Repeat((byte)i, (i % 50 * 8) + 4).ToArray();
            Assert.Equal(0, Output(data, CurrentCpu));
            Assert.Equal(Convert.ToHexStringLower(data), Assert.Single(Consume()).Data);
        }
    }

    [Fact]
    public void AnEventBeyondWhatARecordCanSayIsRefused()
    {
        Map.OpenAll();
        Assert.Equal(0, Output(new byte[65_516], CurrentCpu));
        Assert.Equal(-Errno.E2BIG, Output(new byte[65_517], CurrentCpu));
    }

    // The packet: three bytes linear, three in a fragment.
    private long Output(byte[] data, ulong flags)
    {
        var packet = stackalloc byte[] { 0xa0, 0xa1, 0xa2, 0xb0, 0xb1, 0xb2 };
        var xdp = new XdpBuff
        {
            Data = packet,
            DataEnd = packet + 3,
            Fragments = packet + 3,
            FragmentsLength = 3,
        };
        fixed (byte* bytes = data)
        {
            var helper = (delegate* <BpfRuntime*, ulong, ulong, ulong, ulong, ulong, ulong>)
                HelperTable.Find(25)!.Implementation!.MethodHandle.GetFunctionPointer();
            return (long)helper(
                _bench.Runtime,
                (ulong)&xdp,
                (ulong)_bench.Map.Header,
                flags,
                (ulong)bytes,
                (ulong)data.Length
            );
        }
    }

    private List<(uint Index, string Data, ulong Lost)> Consume()
    {
        var events = new List<(uint, string, ulong)>();
        Map.Consume((index, data, lost) => events.Add((index, Convert.ToHexStringLower(data), lost)));
        return events;
    }
}
