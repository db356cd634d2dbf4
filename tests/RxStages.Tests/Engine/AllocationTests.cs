using RxStages.Benchmarks;
using RxStages.Bpf.Runtime;
using RxStages.Captures;
using RxStages.Engine;
using RxStages.Packets;
using RxStages.Ports;
using RxStages.Stages;
using RxStages.Telemetry;
using RxStages.TestKit;
using RxStages.Tests.Stages;

namespace RxStages.Tests.Engine;

public unsafe class AllocationTests
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
        byte[][] packets = [.. Enumerable.Range(0, 1000).Select(_ => new byte[60])];
        var port = new PacketLoop(pool, packets, temperature);
        using var output = new MemoryPort(pool, 64);
        using var stack = new BenchStack(footprint: 4096);
        using var map = Devmaps.Create(1, 2);
        var redirects = new RedirectTable { Default = stack };
        redirects.AddInterface(1, output);
        var function = new AllVerdictsProgram { Map = (nint)map.Header };
        using var program = new StructProgram<AllVerdictsProgram>("all-verdicts", function);
        using var worker = new Worker(
            port,
            program,
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
        Allocation.ExpectNoneIn(() =>
        {
            port.Rewind();
            var before = GC.GetAllocatedBytesForCurrentThread();
            while (worker.Poll() != 0) { }
            return GC.GetAllocatedBytesForCurrentThread() - before;
        });
        var telemetry = worker.Telemetry;
        Fate[] fates = [Fate.Dropped, Fate.Aborted, Fate.Passed, Fate.Transmitted, Fate.Redirected, Fate.TxRingFull];
        Assert.All(fates, fate => Assert.NotEqual(0, telemetry[fate]));
        Assert.NotEqual(0, telemetry.CopiesSent);
    }

    [Fact]
    public void AReplayFromCaptureToCaptureAllocatesNoManagedMemory()
    {
        using var pool = new FramePool(128);
        var capture = new MemoryStream();
        using (var writer = new CaptureWriter(capture, "in", CaptureFormat.Pcapng))
        {
            writer.AddInterface(new CaptureInterface());
            for (var i = 0; i < 3000; i++)
            {
                writer.Write(new() { Data = new byte[i % 10 == 0 ? 5000 : 60] });
            }
        }
        using var output = new CaptureWriter(Stream.Null, "out", CaptureFormat.Pcapng);
        using var program = new StructProgram<PassProgram>("pass", default);
        Allocation.ExpectNoneIn(() =>
        {
            using var reader = new CaptureReader(new MemoryStream(capture.ToArray()), "in");
            using var worker = new Worker(
                new CaptureReceivePort(reader, pool),
                program,
                new() { NetworkStack = new CaptureConsumer(output, reader.Interfaces) }
            );
            // The first vector brings the interfaces and the first side buffers.
            worker.Poll();
            var before = GC.GetAllocatedBytesForCurrentThread();
            while (worker.Poll() != 0) { }
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.Equal(3000, worker.Telemetry[Fate.Passed]);
            return allocated;
        });
    }

    /// <summary>Gives every verdict in turn, and a value that is none; redirects by turns to an interface and to all of a map.</summary>
    private struct AllVerdictsProgram : IXdpFunction
    {
        private uint _turn;

        public nint Map { get; init; }

        public uint Run(XdpBuff* packet, BpfRuntime* runtime)
        {
            runtime->Redirect = new RedirectTarget
            {
                Kind = _turn % 2 == 0 ? RedirectKind.Broadcast : RedirectKind.Interface,
                Value = 1,
                Map = (void*)Map,
            };
            return _turn++ % 6;
        }
    }
}
