using RxStages.Benchmarks;
using RxStages.Engine;
using RxStages.Packets;
using RxStages.Ports;
using RxStages.Stages;

namespace RxStages.Tests.Engine;

public class AllocationTests
{
    public static TheoryData<EngineMode, int, PacketTemperature, bool> Ways =>
        new()
        {
            { EngineMode.Staged, 16, PacketTemperature.Warm, false },
            { EngineMode.Staged, 64, PacketTemperature.Cold, true },
            { EngineMode.Staged, 1, PacketTemperature.Cold, false },
            { EngineMode.PerPacket, 16, PacketTemperature.Warm, false },
            { EngineMode.PerPacket, 8, PacketTemperature.Cold, true },
        };

    [Theory, MemberData(nameof(Ways))]
    public void NoStageAllocatesManagedMemory(
        EngineMode mode,
        int vectorSize,
        PacketTemperature temperature,
        bool timed
    )
    {
        using var pool = new FramePool(4096);
        byte[][] packets =
        [
            .. Enumerable
                .Range(0, 1000)
                .Select(i =>
                    new byte[60]
                        .Select((_, at) => at == 0 ? (byte)(i % 6) : (byte)1)
                        .ToArray()
                ),
        ];
        var port = new PacketLoop(pool, packets, temperature);
        using var output = new MemoryPort(pool, 64);
        var redirects = new RedirectTable();
        redirects.AddInterface(1, output);
        using var stack = new BenchStack(footprint: 4096);
        using var program = new StructProgram<FirstByteProgram>("first-byte", default);
        using var worker = new Worker(
            port,
            new(program),
            new()
            {
                Mode = mode,
                VectorSize = vectorSize,
                TimeStages = timed,
                Transmit = output,
                NetworkStack = stack,
                Redirects = redirects,
            }
        );
        RunToEnd();
        var before = GC.GetAllocatedBytesForCurrentThread();
        RunToEnd();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(2000, worker.Telemetry.Received);

        void RunToEnd()
        {
            port.Rewind();
            while (worker.Poll() != 0) { }
        }
    }
}
