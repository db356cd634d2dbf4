using RxStages.Engine;
using RxStages.Packets;
using RxStages.Ports;
using RxStages.Tests.Engine;

namespace RxStages.Tests.Ports;

public class PacketLoopTests
{
    public static TheoryData<PacketTemperature> Temperatures => [PacketTemperature.Warm, PacketTemperature.Cold];

    [Theory, MemberData(nameof(Temperatures))]
    public void EachPassGivesTheSamePacketsThoughTheProgramChangesThem(PacketTemperature temperature)
    {
        using var pool = new FramePool(100, detectMisuse: true);
        byte[][] packets = [.. Enumerable.Range(0, 100).Select(i => new byte[] { 1, (byte)i, 3, 4, 5, 6 })];
        var port = new PacketLoop(pool, packets, temperature);
        var passes = new List<string>();
        for (var pass = 0; pass < 3; pass++)
        {
            var observer = new RecordingObserver();
            using var program = new StructProgram<StatefulProgram>("stateful", default);
            using var worker = new Worker(port, program, new() { Observer = observer });
            worker.RunToEnd();
            passes.Add(string.Join('\n', observer.Packets));
            Assert.Equal(100, observer.Packets.Count);
            Assert.Equal(pool.FrameCount, pool.FreeCount);
            port.Rewind();
        }
        Assert.Single(passes.Distinct());
    }

    [Fact]
    public void APassMayBeBrokenOff()
    {
        using var pool = new FramePool(100, detectMisuse: true);
        var port = new PacketLoop(pool, Enumerable.Repeat(new byte[] { 1, 2, 3 }, 100), PacketTemperature.Cold);
        using var program = new StructProgram<FirstByteProgram>("first-byte", default);
        using var worker = new Worker(port, program);
        Assert.Equal(16, worker.Poll());
        port.Rewind();
        worker.RunToEnd();
        Assert.Equal(116, worker.Telemetry.Received);
    }

    [Fact]
    public void ColdPacketsNeedAFrameEach()
    {
        using var pool = new FramePool(99, detectMisuse: true);
        var packets = Enumerable.Repeat(new byte[60], 100);
        Assert.Throws<InvalidOperationException>(() => new PacketLoop(pool, packets, PacketTemperature.Cold));
        Assert.Equal(99, pool.FreeCount);
        Assert.Throws<ArgumentException>(() => new PacketLoop(pool, [new byte[3521]]));
    }
}
