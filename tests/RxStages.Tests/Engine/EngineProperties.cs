using FsCheck;
using FsCheck.Fluent;
using RxStages.Bpf.Runtime;
using RxStages.Engine;
using RxStages.Packets;
using RxStages.Stages;
using RxStages.Telemetry;

namespace RxStages.Tests.Engine;

public class EngineProperties
{
    private static Config Seeded => Config.QuickThrowOnFailure.WithReplay(20160810, 1).WithMaxTest(40);

    private static readonly Gen<byte[]> Packet =
        from length in Gen.Frequency((20, Gen.Choose(0, 90)), (2, Gen.Choose(0, 3520)), (1, Gen.Choose(3500, 9100)))
        from seed in ArbMap.Default.GeneratorFor<int>()
        select RandomBytes(length, seed);

    private static readonly Gen<Case> Cases =
        from packets in Packet.ListOf()
        from rooms in Gen.Choose(0, 12).ArrayOf(4)
        from keeps in ArbMap.Default.GeneratorFor<bool>().ArrayOf(4)
        select new Case([.. packets], rooms, keeps);

    [Fact]
    public void AllVectorSizesAndBothModesGiveTheSame() =>
        Prop.ForAll(
                Cases.ToArbitrary(),
                sample =>
                {
                    var expected = Run(sample, EngineMode.PerPacket, 1);
                    return Enumerable
                        .Range(1, PacketVector.MaxCapacity)
                        .Where(size => size < 10 || size % 9 == 1)
                        .SelectMany(size => new[] { (EngineMode.Staged, size), (EngineMode.PerPacket, size) })
                        .All(way => Run(sample, way.Item1, way.size).Equals(expected));
                }
            )
            .Check(Seeded);

    [Fact]
    public void EveryReceivedPacketHasOneFateWhateverTheConsumersTake() =>
        Prop.ForAll(
                ArbMap.Default.ArbFor<int>(),
                seed =>
                {
                    var random = new Random(seed);
                    using var pool = new FramePool(random.Next(1, 100), detectMisuse: true);
                    var packets = Enumerable
                        .Range(0, 500)
                        .Select(i => RandomBytes(random.Next(80), seed + i))
                        .ToArray();
                    TestConsumer Hostile() =>
                        new(
                            accepts: count => random.Next(count + 1),
                            pool: random.Next(2) == 0 ? pool : null,
                            room: random.Next(400)
                        );
                    var redirects = new RedirectTable { Default = random.Next(2) == 0 ? Hostile() : null };
                    redirects.AddInterface(0, Hostile());
                    redirects.AddInterface(1, Hostile());
                    redirects.AddCpu(2, Hostile());
                    var observer = new RecordingObserver();
                    var options = new WorkerOptions
                    {
                        Mode = (EngineMode)random.Next(2),
                        VectorSize = random.Next(1, 65),
                        Transmit = Hostile(),
                        NetworkStack = Hostile(),
                        Redirects = redirects,
                        Observer = observer,
                    };
                    using var program = new StructProgram<StatefulProgram>("stateful", default);
                    using var worker = new Worker(
                        new TestPort(pool, packets, max => random.Next(max + 1)),
                        program,
                        options
                    );
                    var received = 0L;
                    while (received < packets.Length)
                    {
                        received += worker.Poll();
                        worker.Publish();
                        var telemetry = worker.Telemetry;
                        Assert.Equal(received, telemetry.Received);
                        Assert.True(telemetry.IsBalanced);
                    }
                    worker.Poll();
                    Assert.All(
                        Enum.GetValues<Fate>(),
                        fate => Assert.Equal(worker.Telemetry[fate], observer.Packets.LongCount(p => p.Fate == fate))
                    );
                    Assert.Equal(pool.FrameCount, pool.FreeCount);
                    Assert.Equal(
                        Enumerable.Range(0, packets.Length).Select(i => (uint)i),
                        observer.Packets.Select(p => p.Sequence)
                    );
                }
            )
            .Check(Seeded);

    private static byte[] RandomBytes(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static Result Run(Case sample, EngineMode mode, int vectorSize)
    {
        using var pool = new FramePool(300, detectMisuse: true);
        TestConsumer[] consumers =
        [
            .. sample.Rooms.Zip(sample.Keeps, (room, keeps) => new TestConsumer(room, keeps ? pool : null)),
        ];
        var redirects = new RedirectTable();
        redirects.AddInterface(1, consumers[2]);
        redirects.AddCpu(2, consumers[3]);
        var observer = new RecordingObserver();
        using var program = new StructProgram<StatefulProgram>("stateful", default);
        using var worker = new Worker(
            new TestPort(pool, sample.Packets),
            program,
            new()
            {
                Mode = mode,
                VectorSize = vectorSize,
                Transmit = consumers[0],
                NetworkStack = consumers[1],
                Redirects = redirects,
                Observer = observer,
            }
        );
        worker.RunToEnd();
        return new Result(
            string.Join('\n', observer.Packets),
            string.Join("\n\n", consumers.Select(consumer => string.Join('\n', consumer.Packets)))
        );
    }

    private sealed record Case(byte[][] Packets, int[] Rooms, bool[] Keeps);

    private sealed record Result(string Packets, string Outputs);
}
