using RxStages.Bpf.Errors;
using RxStages.Captures;
using RxStages.Engine;
using RxStages.Packets;
using RxStages.Ports;
using RxStages.Telemetry;
using RxStages.Tests.Engine;

namespace RxStages.Tests.Ports;

public sealed class CapturePortTests : IDisposable
{
    private readonly FramePool _pool = new(64, detectMisuse: true);

    public static TheoryData<EngineMode> Modes => [EngineMode.Staged, EngineMode.PerPacket];

    public void Dispose() => _pool.Dispose();

    [Theory, MemberData(nameof(Modes))]
    public void PacketsOfAnyLengthComeThroughUnchangedAndInOrder(EngineMode mode)
    {
        int[] lengths = [14, 60, 3520, 3521, 0, 9000, 65549, 73152, 60];
        byte[][] packets = [.. lengths.Select((length, i) => Packet(length, verdict: 2, fill: i))];
        var (stack, observer, telemetry) = Replay(Capture(packets), mode);
        Assert.Equal(packets.Where(packet => packet.Length != 0).Select(Convert.ToHexString), Read(stack));
        Assert.Equal(packets.Select(Convert.ToHexString), observer.Packets.Select(packet => packet.Data));
        Assert.Equal((lengths.Length, lengths.Sum()), (telemetry.Received, telemetry.ReceivedBytes));
        Assert.Equal((8, 1), (telemetry[Fate.Passed], telemetry[Fate.Aborted]));
    }

    [Theory, MemberData(nameof(Modes))]
    public void APacketThatIsTooLargeIsLostInItsPlace(EngineMode mode)
    {
        int[] lengths = [60, 73153, 60, 60, 100_000, 262_144, 60];
        var capture = Capture([.. lengths.Select((length, i) => Packet(length, verdict: 2, fill: i))]);
        var (_, observer, telemetry) = Replay(capture, mode);
        Assert.Equal((7, 4, 3), (telemetry.Received, telemetry[Fate.Passed], telemetry[Fate.PacketTooLarge]));
        Assert.True(telemetry.IsBalanced);
        Assert.Equal([0u, 1, 2, 3, 4, 5, 6], observer.Packets.Select(packet => packet.Sequence));
        Assert.Equal(
            lengths.Select(length => length > 73152 ? Fate.PacketTooLarge : Fate.Passed),
            observer.Packets.Select(packet => packet.Fate)
        );
        Assert.Equal(lengths.Select(length => (uint)length), observer.Packets.Select(packet => packet.OriginalLength));
    }

    [Fact]
    public void WhatACaptureCutStaysCutAndTimestampsAndInterfacesStay()
    {
        var stream = new MemoryStream();
        using (var writer = new CaptureWriter(stream, "in", CaptureFormat.Pcapng))
        {
            writer.AddInterface(new CaptureInterface { Name = "eth0", SnapLength = 64 });
            writer.AddInterface(new CaptureInterface { Name = "eth1" });
            writer.Write(
                new()
                {
                    Data = Packet(64, 2, 0),
                    OriginalLength = 1514,
                    Interface = 0,
                    Timestamp = 1_000_000_007,
                }
            );
            writer.Write(
                new()
                {
                    Data = Packet(99, 2, 0),
                    OriginalLength = 99,
                    Interface = 1,
                    Timestamp = 2_000_000_009,
                }
            );
        }
        var (stack, observer, _) = Replay(stream.ToArray(), EngineMode.Staged);
        Assert.Equal([1514u, 99], observer.Packets.Select(packet => packet.OriginalLength));
        using var reader = new CaptureReader(new MemoryStream(stack), "out");
        Assert.True(reader.TryRead(out var packet));
        Assert.Equal((64, 1514u), (packet.Data.Length, packet.OriginalLength));
        Assert.Equal((0, 1_000_000_007ul), (packet.Interface, packet.Timestamp));
        Assert.True(reader.TryRead(out packet));
        Assert.Equal((99, 99u), (packet.Data.Length, packet.OriginalLength));
        Assert.Equal((1, 2_000_000_009ul), (packet.Interface, packet.Timestamp));
        Assert.False(reader.TryRead(out packet));
        Assert.Equal(["eth0", "eth1"], reader.Interfaces.Select(captureInterface => captureInterface.Name));
    }

    [Fact]
    public void TheHeadroomOfEachPacketIsZero()
    {
        var capture = Capture([.. Enumerable.Range(0, 200).Select(i => Packet(60, 2, i))]);
        using var program = new StructProgram<HeadroomProgram>("headroom", default);
        using var reader = new CaptureReader(new MemoryStream(capture), "test");
        using var worker = new Worker(new CaptureReceivePort(reader, _pool), program);
        worker.RunToEnd();
        Assert.Equal(200, worker.Telemetry[Fate.Passed]);
    }

    [Theory, MemberData(nameof(Modes))]
    public void ThePacketsBeforeABrokenRecordAreRunBeforeTheErrorComes(EngineMode mode)
    {
        var capture = Capture([.. Enumerable.Range(0, 21).Select(i => Packet(60, 1, i))]);
        using var program = new StructProgram<FirstByteProgram>("first-byte", default);
        using var reader = new CaptureReader(new MemoryStream(capture[..^30]), "test");
        var port = new CaptureReceivePort(reader, _pool);
        using var worker = new Worker(port, program, new() { Mode = mode });
        Assert.Throws<InputException>(() => worker.RunToEnd());
        Assert.Equal((20, 20), (worker.Telemetry.Received, worker.Telemetry[Fate.Dropped]));
        Assert.True(port.IsFinished);
        Assert.Equal(0, worker.Poll());
        Assert.Equal(_pool.FrameCount, _pool.FreeCount);
    }

    [Fact]
    public void WithOneFrameAndOneSideBufferAllPacketsComeThrough()
    {
        using var pool = new FramePool(1, fragmentBuffers: 1, detectMisuse: true);
        byte[][] packets = [.. Enumerable.Range(0, 10).Select(i => Packet(i % 2 == 0 ? 5000 : 70, 2, i))];
        var (stack, _, _) = Replay(Capture(packets), EngineMode.Staged, pool);
        Assert.Equal(packets.Select(Convert.ToHexString), Read(stack));
    }

    private static byte[] Packet(int length, byte verdict, int fill)
    {
        var packet = new byte[length];
        new Random(fill).NextBytes(packet);
        if (length > 0)
        {
            packet[0] = verdict;
        }
        return packet;
    }

    private static byte[] Capture(byte[][] packets)
    {
        var stream = new MemoryStream();
        using (var writer = new CaptureWriter(stream, "test", CaptureFormat.Pcapng))
        {
            writer.AddInterface(new CaptureInterface());
            foreach (var packet in packets)
            {
                writer.Write(new() { Data = packet, OriginalLength = (uint)packet.Length });
            }
        }
        return stream.ToArray();
    }

    private static List<string> Read(byte[] capture)
    {
        var packets = new List<string>();
        using var reader = new CaptureReader(new MemoryStream(capture), "test");
        while (reader.TryRead(out var packet))
        {
            packets.Add(Convert.ToHexString(packet.Data));
        }
        return packets;
    }

    private (byte[] Stack, RecordingObserver Observer, TelemetrySnapshot Telemetry) Replay(
        byte[] capture,
        EngineMode mode,
        FramePool? pool = null
    )
    {
        pool ??= _pool;
        var stack = new MemoryStream();
        var observer = new RecordingObserver();
        using var program = new StructProgram<FirstByteProgram>("first-byte", default);
        using var reader = new CaptureReader(new MemoryStream(capture), "test");
        using var writer = new CaptureWriter(stack, "test", CaptureFormat.Pcapng);
        using var worker = new Worker(
            new CaptureReceivePort(reader, pool, ifindex: 3, queue: 4),
            program,
            new()
            {
                Mode = mode,
                NetworkStack = new CaptureConsumer(writer, reader.Interfaces),
                Observer = observer,
            }
        );
        worker.RunToEnd();
        writer.Flush();
        Assert.Equal(pool.FrameCount, pool.FreeCount);
        return (stack.ToArray(), observer, worker.Telemetry);
    }
}
