using System.Runtime.InteropServices;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;
using RxStages.Engine;
using RxStages.Packets;
using RxStages.Stages;
using RxStages.Telemetry;
using RxStages.Tests.Engine;

namespace RxStages.Tests.Stages;

/// <summary>Programs on entries of devmaps and cpumaps: they see the packet on its way out, and may stop it.</summary>
public sealed class EntryProgramTests : IDisposable
{
    private readonly FramePool _pool = new(64, detectMisuse: true);
    private readonly StructProgram<EntryProgram> _entry = new("entry", default);
    private readonly GCHandle _handle;
    private readonly TestConsumer _port = new();
    private readonly TestConsumer _cpu = new();
    private readonly TestConsumer _other = new();

    public EntryProgramTests() => _handle = GCHandle.Alloc(_entry);

    public static TheoryData<EngineMode> Modes => [EngineMode.Staged, EngineMode.PerPacket];

    public void Dispose()
    {
        _handle.Free();
        _entry.Dispose();
        _pool.Dispose();
    }

    [Theory, MemberData(nameof(Modes))]
    public void OnlyWhatTheEntryPassesGoesToTheTarget(EngineMode mode)
    {
        // First byte: kind of target; second: what the program on the entry returns.
        var (telemetry, fates) = Run(mode, [1, 2, 0xa0], [1, 1, 0xa1], [1, 3, 0xa2], [1, 2, 0xa3], [1, 77, 0xa4]);
        Assert.Equal(["0102A0", "0102A3"], _port.Packets);
        Assert.Equal((2, 3), (telemetry[Fate.Redirected], telemetry[Fate.DroppedAtTarget]));
        Assert.Equal(
            [Fate.Redirected, Fate.DroppedAtTarget, Fate.DroppedAtTarget, Fate.Redirected, Fate.DroppedAtTarget],
            fates
        );
        Assert.True(telemetry.IsBalanced);
    }

    [Theory, MemberData(nameof(Modes))]
    public void ARedirectGoesOnFromACpumapAndNotFromADevmap(EngineMode mode)
    {
        var (telemetry, _) = Run(mode, [2, 4, 0xa0], [1, 4, 0xa1], [2, 2, 0xa2]);
        Assert.Equal(["0204A0"], _port.Packets);
        Assert.Equal(["0202A2"], _cpu.Packets);
        Assert.Equal((2, 1), (telemetry[Fate.Redirected], telemetry[Fate.DroppedAtTarget]));
    }

    [Theory, MemberData(nameof(Modes))]
    public void WhatACpumapSendsInCirclesHasNoTarget(EngineMode mode)
    {
        var (telemetry, _) = Run(mode, [2, 5, 0xa0], [2, 2, 0xa1]);
        Assert.Equal(["0202A1"], _cpu.Packets);
        Assert.Equal((1, 1), (telemetry[Fate.Redirected], telemetry[Fate.NoRedirectTarget]));
    }

    [Theory, MemberData(nameof(Modes))]
    public void TheProgramSeesWhereThePacketLeavesAndQueue0(EngineMode mode)
    {
        // 6: the program passes the packet if it leaves by interface 9 and shows queue 0.
        var (telemetry, _) = Run(mode, [1, 6, 0xa0], [2, 6, 0xa1]);
        Assert.Equal(["0106A0"], _port.Packets);
        Assert.Equal((1, 1), (telemetry[Fate.Redirected], telemetry[Fate.DroppedAtTarget]));
    }

    [Theory, MemberData(nameof(Modes))]
    public void OfABroadcastEachEntrysProgramDecidesAboutItsOwnCopy(EngineMode mode)
    {
        // To interfaces 8 and 9: 8's entry has the program, 9's has none.
        var (telemetry, fates) = Run(mode, [3, 2, 0xa0], [3, 1, 0xa1], [3, 6, 0xa2]);
        Assert.Equal(["0302A0"], _other.Packets);
        Assert.Equal(["0302A0", "0301A1", "0306A2"], _port.Packets);
        Assert.All(fates, fate => Assert.Equal(Fate.Redirected, fate));
        Assert.Equal((3, 1, 0), (telemetry[Fate.Redirected], telemetry.CopiesSent, telemetry.CopiesLost));
    }

    [Theory, MemberData(nameof(Modes))]
    public void ABroadcastThatNoEntrysProgramPassesIsDroppedAtItsTargets(EngineMode mode)
    {
        // To interface 8 alone, whose entry has the program.
        var (telemetry, fates) = Run(mode, [4, 2, 0xa0], [4, 1, 0xa1]);
        Assert.Equal(["0402A0"], _other.Packets);
        Assert.Equal([Fate.Redirected, Fate.DroppedAtTarget], fates);
        Assert.Equal((1, 1), (telemetry[Fate.Redirected], telemetry[Fate.DroppedAtTarget]));
        Assert.True(telemetry.IsBalanced);
    }

    private unsafe (TelemetrySnapshot Telemetry, IEnumerable<Fate> Fates) Run(EngineMode mode, params byte[][] packets)
    {
        var redirects = new RedirectTable();
        redirects.AddInterface(9, _port);
        redirects.AddCpu(3, _cpu);
        redirects.AddInterface(8, _other);
        using var both = Devmap(8, 9);
        using var one = Devmap(8);
        var observer = new RecordingObserver();
        using var program = new StructProgram<RedirectingProgram>(
            "redirecting",
            new RedirectingProgram
            {
                Entry = GCHandle.ToIntPtr(_handle),
                Both = (nint)both.Header,
                One = (nint)one.Header,
            }
        );
        using var worker = new Worker(
            new TestPort(_pool, packets),
            program,
            new()
            {
                Mode = mode,
                Redirects = redirects,
                Observer = observer,
            }
        );
        worker.RunToEnd();
        Assert.Equal(_pool.FrameCount, _pool.FreeCount);
        return (worker.Telemetry, observer.Packets.Select(packet => packet.Fate));
    }

    /// <summary>A devmap with these interfaces, the first of them with the program.</summary>
    private Devmap Devmap(params uint[] interfaces)
    {
        var map = (Devmap)
            MapFactory.Create(
                new MapSpec
                {
                    Name = "targets",
                    Type = MapType.Devmap,
                    KeySize = sizeof(uint),
                    ValueSize = 2 * sizeof(uint),
                    MaxEntries = (uint)interfaces.Length,
                }
            );
        foreach (var (index, ifindex) in interfaces.Index())
        {
            Assert.Equal(0, map.SetEntry((uint)index, ifindex, index == 0 ? _entry : null));
        }
        return map;
    }

    /// <summary>Redirects to interface 9 (first byte 1) or CPU 3 (2), through an entry with a program; or to all of a devmap (3, 4).</summary>
    private struct RedirectingProgram : IXdpFunction
    {
        public nint Entry;
        public nint Both;
        public nint One;

        public readonly unsafe uint Run(XdpBuff* packet, BpfRuntime* runtime)
        {
            packet->RxQueueIndex = 5;
            runtime->Redirect =
                packet->Data[0] <= 2
                    ? Target(packet, Entry)
                    : new()
                    {
                        Kind = RedirectKind.Broadcast,
                        Flags = (ushort)RedirectFlags.Broadcast,
                        Map = (void*)(packet->Data[0] == 3 ? Both : One),
                    };
            return (uint)XdpAction.Redirect;
        }

        private static unsafe RedirectTarget Target(XdpBuff* packet, nint entry) =>
            packet->Data[0] == 1
                ? new()
                {
                    Kind = RedirectKind.Interface,
                    Value = 9,
                    Program = entry,
                }
                : new()
                {
                    Kind = RedirectKind.Cpu,
                    Value = 3,
                    Program = entry,
                };
    }

    /// <summary>The program on the entry: does what the packet's second byte says.</summary>
    private struct EntryProgram : IXdpFunction
    {
        public readonly unsafe uint Run(XdpBuff* packet, BpfRuntime* runtime)
        {
            switch (packet->Data[1])
            {
                case 4:
                    runtime->Redirect = new() { Kind = RedirectKind.Interface, Value = 9 };
                    return (uint)XdpAction.Redirect;
                case 5:
                    runtime->Redirect = packet->Redirect;
                    return (uint)XdpAction.Redirect;
                case 6:
                    return (uint)(
                        packet->EgressIfindex == 9 && packet->RxQueueIndex == 0 ? XdpAction.Pass : XdpAction.Drop
                    );
                default:
                    return packet->Data[1];
            }
        }
    }
}
