using RxStages.Bpf.Errors;
using RxStages.Bpf.Runtime;
using RxStages.Captures;
using RxStages.Packets;
using RxStages.Ports;
using RxStages.TestKit;

namespace RxStages.Tests.Ports;

public unsafe class CaptureSeriesTests
{
    private static readonly string[] s_captures = [Sample("edge-cases.pcapng"), Sample("vlan.pcap")];

    [Fact]
    public void PacketsAreNumberedThroughAllCapturesAndRepetitions()
    {
        var single = s_captures.Sum(Count);
        var seen = Receive(s_captures, 3);
        Assert.Equal(Enumerable.Range(0, 3 * single), seen.Select(packet => (int)packet.Sequence));
    }

    [Fact]
    public void EachPacketKeepsTheInterfaceOfItsCapture()
    {
        var expected = s_captures.SelectMany(Interfaces).ToArray();
        var seen = Receive(s_captures, 2);
        Assert.Equal([.. expected, .. expected], seen.Select(packet => packet.Interface));
        Assert.True(expected.Distinct().Count() > 2);
    }

    [Fact]
    public void ACaptureThatIsNotThereIsFoundWhenItsTurnComes()
    {
        using var pool = new FramePool(PacketVector.MaxCapacity);
        using var series = new CaptureSeries([s_captures[1], Sample("no-such.pcap")], 1, pool);
        var received = 0;
        var error = Assert.Throws<InputException>(() => Drain(series, pool, ref received));
        Assert.Contains("no-such.pcap", error.Message);
        Assert.Equal(Count(s_captures[1]), received);
    }

    private static void Drain(CaptureSeries series, FramePool pool, ref int received)
    {
        var packets = stackalloc XdpBuff*[PacketVector.MaxCapacity];
        while (!series.IsFinished)
        {
            var count = series.Receive(packets, PacketVector.MaxCapacity);
            received += count;
            pool.Recycle(packets, count);
        }
    }

    private static List<(uint Sequence, string? Interface)> Receive(string[] paths, int repeat)
    {
        using var pool = new FramePool(PacketVector.MaxCapacity);
        using var series = new CaptureSeries(paths, repeat, pool);
        var seen = new List<(uint, string?)>();
        var packets = stackalloc XdpBuff*[PacketVector.MaxCapacity];
        while (!series.IsFinished)
        {
            var count = Math.Abs(series.Receive(packets, 5));
            for (var i = 0; i < count; i++)
            {
                seen.Add((packets[i]->Sequence, series.Interfaces[(int)packets[i]->Origin].Name));
            }
            pool.Recycle(packets, count);
        }
        return seen;
    }

    private static List<string?> Interfaces(string path)
    {
        using var reader = CaptureReader.Open(path);
        var names = new List<string?>();
        while (reader.TryRead(out var packet))
        {
            names.Add(reader.Interfaces[packet.Interface].Name);
        }
        return names;
    }

    private static int Count(string path) => Interfaces(path).Count;

    private static string Sample(string name) => Repository.PathOf("samples", name);
}
