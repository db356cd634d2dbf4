using RxStages.Bpf.Compilation;
using RxStages.Bpf.Interpretation;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;
using RxStages.Bpf.Verification;
using RxStages.Engine;
using RxStages.Packets;
using RxStages.Ports;
using RxStages.Stages;
using RxStages.Telemetry;

namespace RxStages.Tests.Engine;

public sealed class WorkerTests : IDisposable
{
    private readonly FramePool _pool = new(256, detectMisuse: true);

    public static TheoryData<EngineMode> Modes => [EngineMode.Staged, EngineMode.PerPacket];

    public void Dispose() => _pool.Dispose();

    [Theory, MemberData(nameof(Modes))]
    public void EachVerdictHasItsFate(EngineMode mode)
    {
        var (transmit, stack, target) = (new TestConsumer(), new TestConsumer(), new TestConsumer());
        var redirects = new RedirectTable();
        redirects.AddInterface(7, target);
        byte[][] packets =
        [
            [1, 0, 0, 0xa0],
            [2, 0, 0, 0xa1],
            [3, 0, 0, 0xa2],
            [4, (byte)RedirectKind.Interface, 7, 0xa3],
            [4, (byte)RedirectKind.Interface, 8, 0xa4],
            [4, (byte)RedirectKind.None, 7, 0xa5],
            [4, (byte)RedirectKind.Cpu, 7, 0xa6],
            [0, 0, 0, 0xa7],
            [5, 0, 0, 0xa8],
            [255, 0, 0, 0xa9],
            [2, 0, 0, 0xaa],
        ];
        var observer = new RecordingObserver();
        var telemetry = Run(
            packets,
            new WorkerOptions
            {
                Mode = mode,
                Transmit = transmit,
                NetworkStack = stack,
                Redirects = redirects,
                Observer = observer,
            }
        );

        Assert.Equal(
            [
                Fate.Dropped,
                Fate.Passed,
                Fate.Transmitted,
                Fate.Redirected,
                Fate.NoRedirectTarget,
                Fate.NoRedirectTarget,
                Fate.NoRedirectTarget,
                Fate.Aborted,
                Fate.Aborted,
                Fate.Aborted,
                Fate.Passed,
            ],
            observer.Packets.Select(packet => packet.Fate)
        );
        Assert.Equal(packets.Select(packet => (uint)packet[0]), observer.Packets.Select(packet => packet.Verdict));
        Assert.Equal(packets.Select(Convert.ToHexString), observer.Packets.Select(packet => packet.Data));
        Assert.Equal(["020000A1", "020000AA"], stack.Packets);
        Assert.Equal(["030000A2"], transmit.Packets);
        Assert.Equal(["040107A3"], target.Packets);
        Assert.Equal((11, 44), (telemetry.Received, telemetry.ReceivedBytes));
        Assert.Equal((1, 3, 2), (telemetry[Fate.Dropped], telemetry[Fate.Aborted], telemetry[Fate.Passed]));
        Assert.Equal(
            (1, 1, 3),
            (telemetry[Fate.Transmitted], telemetry[Fate.Redirected], telemetry[Fate.NoRedirectTarget])
        );
        Assert.Equal((3, 4), (telemetry[XdpAction.Aborted], telemetry[XdpAction.Redirect]));
        Assert.True(telemetry.IsBalanced);
    }

    [Fact]
    public void EachStageGetsItsPacketsInOneVectorAndIsFlushedOnce()
    {
        var (transmit, stack) = (new TestConsumer(), new TestConsumer());
        Run(Repeat([2, 0, 0], [3, 0, 0], 8), new WorkerOptions { Transmit = transmit, NetworkStack = stack });
        Assert.Equal([8], transmit.Offered);
        Assert.Equal([8], stack.Offered);
        Assert.Equal((1, 1), (transmit.Flushes, stack.Flushes));
    }

    [Fact]
    public void PerPacketModeHandsOverPacketByPacketAndFlushesOncePerPoll()
    {
        var stack = new TestConsumer();
        Run(Repeat([2, 0, 0], [1, 0, 0], 8), new WorkerOptions { Mode = EngineMode.PerPacket, NetworkStack = stack });
        Assert.Equal([1, 1, 1, 1, 1, 1, 1, 1], stack.Offered);
        Assert.Equal(1, stack.Flushes);
    }

    [Fact]
    public void OneReadyPacketGoesStraightThroughAndIsFlushed()
    {
        var transmit = new TestConsumer();
        var port = new TestPort(_pool, Repeat([3, 0, 0], [3, 0, 0], 2), ready: _ => 1);
        using var program = Program();
        using var worker = new Worker(port, program, new() { Transmit = transmit });
        Assert.Equal(1, worker.Poll());
        Assert.Equal((1, 1), (transmit.Packets.Count, transmit.Flushes));
        Assert.Equal(1, worker.Poll());
        Assert.Equal((2, 2), (transmit.Packets.Count, transmit.Flushes));
        Assert.Equal(_pool.FrameCount, _pool.FreeCount);
    }

    [Fact]
    public void APollTakesWhatIsReadyAndDoesNotWaitForMore()
    {
        var ready = new Queue<int>([5, 0, 16, 3]);
        var port = new TestPort(_pool, Repeat([1, 0, 0], [1, 0, 0], 20), ready: _ => ready.Dequeue());
        using var program = Program();
        using var worker = new Worker(port, program);
        Assert.Equal([5, 0, 16, 3], new[] { worker.Poll(), worker.Poll(), worker.Poll(), worker.Poll() });
        worker.Publish();
        var telemetry = worker.Telemetry;
        Assert.Equal((3, 24), (telemetry.Vectors, telemetry.Received));
        Assert.Equal((1, 1, 1), (telemetry.VectorSizes[3], telemetry.VectorSizes[5], telemetry.VectorSizes[16]));
    }

    [Theory, MemberData(nameof(Modes))]
    public void FullConsumersLosePacketsVisibly(EngineMode mode)
    {
        var redirects = new RedirectTable();
        redirects.AddInterface(7, new TestConsumer(room: 1));
        var observer = new RecordingObserver();
        var telemetry = Run(
            [.. Repeat([2, 0, 0], [3, 0, 0], 3), .. Repeat([4, 1, 7], [1, 0, 0], 3)],
            new WorkerOptions
            {
                Mode = mode,
                Transmit = new TestConsumer(room: 2),
                NetworkStack = new TestConsumer(room: 0),
                Redirects = redirects,
                Observer = observer,
            }
        );
        Assert.Equal((0, 3), (telemetry[Fate.Passed], telemetry[Fate.StackBacklogFull]));
        Assert.Equal((2, 1), (telemetry[Fate.Transmitted], telemetry[Fate.TxRingFull]));
        Assert.Equal((1, 2), (telemetry[Fate.Redirected], telemetry[Fate.RedirectRingFull]));
        Assert.Equal(
            [
                Fate.StackBacklogFull,
                Fate.Transmitted,
                Fate.StackBacklogFull,
                Fate.Transmitted,
                Fate.StackBacklogFull,
                Fate.TxRingFull,
                Fate.Redirected,
                Fate.Dropped,
                Fate.RedirectRingFull,
                Fate.Dropped,
                Fate.RedirectRingFull,
                Fate.Dropped,
            ],
            observer.Packets.Select(packet => packet.Fate)
        );
        Assert.True(telemetry.IsBalanced);
    }

    [Theory, MemberData(nameof(Modes))]
    public void FramesThatAConsumerKeepsComeBackWhenItGivesThemBack(EngineMode mode)
    {
        var transmit = new TestConsumer(pool: _pool, room: 5);
        using var program = Program();
        var port = new TestPort(_pool, Repeat([3, 0, 0], [1, 0, 0], 8));
        using var worker = new Worker(port, program, new() { Mode = mode, Transmit = transmit });
        worker.Poll();
        Assert.Equal(_pool.FrameCount - 5, _pool.FreeCount);
        worker.Poll();
        Assert.Equal(_pool.FrameCount, _pool.FreeCount);
    }

    [Fact]
    public void RedirectsToOneConsumerKeepTheirOrderWhateverTargetTheyName()
    {
        var (one, other) = (new TestConsumer(), new TestConsumer());
        var redirects = new RedirectTable { Default = other };
        redirects.AddInterface(1, one);
        redirects.AddCpu(1, one);
        redirects.AddSocket(1, one);
        byte[][] packets =
        [
            [4, 1, 1],
            [4, 1, 2],
            [4, 2, 1],
            [4, 2, 2],
            [4, 3, 1],
            [4, 3, 2],
            [4, 1, 1],
            [4, 0, 1],
        ];
        var telemetry = Run(packets, new WorkerOptions { Redirects = redirects });
        Assert.Equal(["040101", "040201", "040301", "040101"], one.Packets);
        Assert.Equal(["040102", "040202", "040302"], other.Packets);
        Assert.Equal((7, 1), (telemetry[Fate.Redirected], telemetry[Fate.NoRedirectTarget]));
        Assert.Equal([4], one.Offered);
        Assert.Equal([3], other.Offered);
    }

    [Fact]
    public void AFaultInAProgramWrittenInCSharpIsThatPacketsAborted()
    {
        using var program = new StructProgram<ThrowingProgram>("throws", default);
        using var worker = new Worker(
            new TestPort(
                _pool,
                [
                    [1],
                    [0],
                    [2],
                    [0],
                    [0],
                    [1],
                ]
            ),
            program
        );
        worker.RunToEnd();
        var telemetry = worker.Telemetry;
        Assert.Equal((2, 3, 1), (telemetry[Fate.Dropped], telemetry[Fate.Aborted], telemetry[Fate.Passed]));
    }

    [Fact]
    public void AProgramIsReplacedBetweenTwoVectors()
    {
        using var program = Program();
        using var other = new StructProgram<ThrowingProgram>("throws", default);
        using var worker = new Worker(
            new TestPort(_pool, Repeat([0, 0, 0], [1, 0, 0], 2)),
            program,
            new() { VectorSize = 2 }
        );
        worker.Poll();
        worker.Install(other);
        worker.Poll();
        worker.Publish();
        Assert.Equal((2, 2), (worker.Telemetry[Fate.Dropped], worker.Telemetry[Fate.Aborted]));
    }

    [Fact]
    public void AProgramWhoseMapsHaveNoRoomForTheCpuIsRefused()
    {
        var instructions = Assembler.Assemble("r0 = 2\nexit");
        var spec = new ProgramSpec
        {
            Name = "two-cpus",
            Section = "xdp",
            Instructions = instructions,
            Functions = [new FunctionSpec("main", 0, instructions.Length, false, 0)],
        };
        var perCpu = new MapSpec
        {
            Name = "counters",
            Type = MapType.PercpuArray,
            KeySize = 4,
            ValueSize = 8,
            MaxEntries = 1,
        };
        using var map = MapFactory.Create(perCpu, new MapOptions { CpuCount = 2 });
        using var interpreted = new InterpretedProgram(spec, [map]);
        using var compiled = IlCompiler.Compile(Verifier.Verify(spec, [perCpu]), [map]);
        using var any = Program();
        using var worker = new Worker(new TestPort(_pool, []), any, new() { Cpu = 2 });
        foreach (var program in (XdpProgram[])[interpreted, compiled])
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => worker.Install(program));
            Assert.Throws<ArgumentOutOfRangeException>(() =>
                new Worker(new TestPort(_pool, []), program, new() { Cpu = 2 })
            );
            using var last = new Worker(new TestPort(_pool, []), program, new() { Cpu = 1 });
        }
    }

    [Fact]
    public void AProgramThatReliesOnHowManyCpusThereAreRunsOnNoOther()
    {
        var instructions = Assembler.Assemble("call 8\nr0 = 2\nexit");
        var spec = new ProgramSpec
        {
            Name = "asks-for-its-cpu",
            Section = "xdp",
            Instructions = instructions,
            Functions = [new FunctionSpec("main", 0, instructions.Length, false, 0)],
        };
        var verified = Verifier.Verify(spec, [], new VerifierOptions { CpuCount = 2 });
        using var program = IlCompiler.Compile(verified, []);
        Assert.Equal(2, program.CpuCount);
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            new Worker(new TestPort(_pool, []), program, new() { Cpu = 2 })
        );
        using var last = new Worker(new TestPort(_pool, []), program, new() { Cpu = 1 });
    }

    [Fact]
    public void TimeIsCountedPerStageOnlyWhenAskedFor()
    {
        var packets = Repeat([2, 0, 0], [3, 0, 0], 500);
        Stage[] stages = [Stage.Receive, Stage.Xdp, Stage.Split, Stage.Transmit, Stage.NetworkStack, Stage.Recycle];
        var timed = Run(packets, new WorkerOptions { TimeStages = true });
        Assert.All(stages, stage => Assert.NotEqual(TimeSpan.Zero, timed.TimeIn(stage)));
        Assert.Equal(TimeSpan.Zero, timed.TimeIn(Stage.Redirect));
        var untimed = Run(packets, new WorkerOptions());
        Assert.All(stages, stage => Assert.Equal(TimeSpan.Zero, untimed.TimeIn(stage)));
    }

    [Fact]
    public void AConsumerThatClaimsToHaveTakenMoreThanItWasGivenIsNotBelieved()
    {
        using var program = Program();
        var liar = new TestLiar();
        using var worker = new Worker(
            new TestPort(
                _pool,
                [
                    [2, 0, 0],
                ]
            ),
            program,
            new() { NetworkStack = liar }
        );
        Assert.Throws<InvalidOperationException>(() => worker.Poll());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(65)]
    public void AVectorHasOneToSixtyFourPackets(int size)
    {
        using var program = Program();
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            new Worker(new TestPort(_pool, []), program, new() { VectorSize = size })
        );
    }

    private static StructProgram<FirstByteProgram> Program() => new("first-byte", default);

    private static byte[][] Repeat(byte[] first, byte[] second, int times) =>
        [.. Enumerable.Repeat<byte[][]>([first, second], times).SelectMany(pair => pair)];

    /// <summary>Runs packets to the end; every frame must be free again.</summary>
    private TelemetrySnapshot Run(byte[][] packets, WorkerOptions options)
    {
        using var program = Program();
        using var worker = new Worker(new TestPort(_pool, packets), program, options);
        worker.RunToEnd();
        Assert.Equal(_pool.FrameCount, _pool.FreeCount);
        return worker.Telemetry;
    }

    private sealed unsafe class TestLiar : IPacketConsumer
    {
        public bool KeepsFrames => false;

        public int Accept(XdpBuff** packets, int count) => count + 1;

        public void Flush() { }

        public void Reclaim() { }
    }
}
