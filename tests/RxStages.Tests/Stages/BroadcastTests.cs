using RxStages.Bpf.Maps;
using RxStages.Bpf.Runtime;
using RxStages.Engine;
using RxStages.Packets;
using RxStages.Stages;
using RxStages.Telemetry;
using RxStages.Tests.Engine;

namespace RxStages.Tests.Stages;

public sealed class BroadcastTests : IDisposable
{
    private readonly FramePool _pool = new(256, detectMisuse: true);
    private readonly Map _map = Devmaps.Create(0, 5, 1, 0, 6, 9, 0);
    private readonly Map _hash = Devmaps.CreateHash(6, 1, 7, 9);

    public static TheoryData<EngineMode> Modes => [EngineMode.Staged, EngineMode.PerPacket];

    public void Dispose()
    {
        _map.Dispose();
        _hash.Dispose();
        _pool.Dispose();
    }

    [Theory, MemberData(nameof(Modes))]
    public void GoesToAllInterfacesOfTheMapThatAreHere(EngineMode mode)
    {
        TestConsumer[] ports = [new(), new(pool: _pool), new()];
        var telemetry = Run(
            mode,
            flags: 8,
            ports,
            [
                [4, 0xa0],
                [4, 0xa1],
                [4, 0xa2],
            ]
        );
        Assert.All(ports, port => Assert.Equal(["04A0", "04A1", "04A2"], port.Packets));
        Assert.Equal((3, 6, 0), (telemetry[Fate.Redirected], telemetry.CopiesSent, telemetry.CopiesLost));
        Assert.True(telemetry.IsBalanced);
    }

    [Theory, MemberData(nameof(Modes))]
    public void LeavesTheInterfaceThatThePacketCameFromOutIfAsked(EngineMode mode)
    {
        TestConsumer[] ports = [new(), new(), new()];
        var telemetry = Run(
            mode,
            flags: 8 | 16,
            ports,
            [
                [4, 0xa0],
                [4, 0xa1],
            ]
        );
        Assert.Empty(ports[0].Packets);
        Assert.Equal(["04A0", "04A1"], ports[1].Packets);
        Assert.Equal(["04A0", "04A1"], ports[2].Packets);
        Assert.Equal((2, 2), (telemetry[Fate.Redirected], telemetry.CopiesSent));
    }

    [Theory, MemberData(nameof(Modes))]
    public void APacketOfWhichOneCopyIsTakenIsRedirectedAndOneOfWhichNoneIsTakenIsLost(EngineMode mode)
    {
        TestConsumer[] ports = [new(room: 2), new(room: 1, pool: _pool), new(room: 0)];
        var telemetry = Run(
            mode,
            flags: 8,
            ports,
            [
                [4, 0xa0],
                [4, 0xa1],
                [4, 0xa2],
            ]
        );
        Assert.Equal((2, 1), (telemetry[Fate.Redirected], telemetry[Fate.RedirectRingFull]));
        Assert.Equal((3, 3), (telemetry.CopiesSent, telemetry.CopiesLost));
        Assert.True(telemetry.IsBalanced);
    }

    [Fact]
    public void WithoutFramesCopiesAreLostAndThePacketIsNot()
    {
        using var pool = new FramePool(1, detectMisuse: true);
        TestConsumer[] ports = [new(), new(), new()];
        var telemetry = Run(
            EngineMode.Staged,
            flags: 8,
            ports,
            [
                [4, 0xa0],
                [4, 0xa1],
            ],
            pool
        );
        Assert.Equal([0, 0, 2], ports.Select(port => port.Packets.Count));
        Assert.Equal((2, 0, 4), (telemetry[Fate.Redirected], telemetry.CopiesSent, telemetry.CopiesLost));
    }

    [Fact]
    public void WithoutAnInterfaceThereIsNoTarget()
    {
        var telemetry = Run(
            EngineMode.Staged,
            flags: 8,
            [],
            [
                [4, 0xa0],
                [4, 0xa1],
            ]
        );
        Assert.Equal(2, telemetry[Fate.NoRedirectTarget]);
    }

    [Fact]
    public void MoreCopiesThanAVectorHoldsGoOverInOrder()
    {
        TestConsumer[] ports = [new(), new(), new()];
        byte[][] packets = [.. Enumerable.Range(0, 64).Select(i => new byte[] { 4, (byte)i })];
        Run(EngineMode.Staged, flags: 8, ports, packets, vectorSize: 64);
        Assert.All(ports, port => Assert.Equal(packets.Select(Convert.ToHexString), port.Packets));
    }

    [Fact]
    public void EachPacketGoesToTheInterfacesOfItsOwnMap()
    {
        TestConsumer[] ports = [new(), new(), new()];
        var telemetry = Run(
            EngineMode.Staged,
            flags: 8,
            ports,
            [
                [4, 0],
                [5, 1],
                [5, 2],
                [4, 3],
            ]
        );
        Assert.Equal(["0400", "0501", "0502", "0403"], ports[0].Packets);
        Assert.Equal(["0400", "0403"], ports[1].Packets);
        Assert.Equal(["0400", "0501", "0502", "0403"], ports[2].Packets);
        Assert.Equal((4, 6), (telemetry[Fate.Redirected], telemetry.CopiesSent));
    }

    private unsafe TelemetrySnapshot Run(
        EngineMode mode,
        ulong flags,
        TestConsumer[] ports,
        byte[][] packets,
        FramePool? pool = null,
        int vectorSize = 16
    )
    {
        pool ??= _pool;
        var redirects = new RedirectTable();
        foreach (var (ifindex, port) in new uint[] { 1, 5, 6 }.Zip(ports))
        {
            redirects.AddInterface(ifindex, port);
        }
        using var program = new StructProgram<BroadcastProgram>(
            "broadcast",
            new BroadcastProgram
            {
                Flags = flags,
                Map = (nint)_map.Header,
                Hash = (nint)_hash.Header,
            }
        );
        using var worker = new Worker(
            new TestPort(pool, packets),
            program,
            new()
            {
                Mode = mode,
                Redirects = redirects,
                VectorSize = vectorSize,
            }
        );
        worker.RunToEnd();
        Assert.Equal(pool.FrameCount, pool.FreeCount);
        return worker.Telemetry;
    }

    /// <summary>Sends packets to all of the devmap, or of the hash where they begin with 5.</summary>
    private unsafe struct BroadcastProgram : IXdpFunction
    {
        public ulong Flags;
        public nint Map;
        public nint Hash;

        public readonly uint Run(XdpBuff* packet, BpfRuntime* runtime)
        {
            runtime->Redirect = new RedirectTarget
            {
                Kind = RedirectKind.Broadcast,
                Flags = (ushort)Flags,
                Map = (void*)(packet->Data[0] == 5 ? Hash : Map),
            };
            return (uint)XdpAction.Redirect;
        }
    }
}
