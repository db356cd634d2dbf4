using System.Runtime.InteropServices;
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

    private (TelemetrySnapshot Telemetry, IEnumerable<Fate> Fates) Run(EngineMode mode, params byte[][] packets)
    {
        var redirects = new RedirectTable();
        redirects.AddInterface(9, _port);
        redirects.AddCpu(3, _cpu);
        var observer = new RecordingObserver();
        using var program = new StructProgram<RedirectingProgram>(
            "redirecting",
            new RedirectingProgram { Entry = GCHandle.ToIntPtr(_handle) }
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

    /// <summary>Redirects to interface 9 (first byte 1) or to CPU 3, through an entry with a program.</summary>
    private struct RedirectingProgram : IXdpFunction
    {
        public nint Entry;

        public readonly unsafe uint Run(XdpBuff* packet, BpfRuntime* runtime)
        {
            packet->RxQueueIndex = 5;
            runtime->Redirect = Target(packet, Entry);
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
