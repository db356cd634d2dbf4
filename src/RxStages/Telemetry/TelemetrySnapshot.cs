using System.Collections.Immutable;
using System.Diagnostics;
using RxStages.Bpf.Runtime;

namespace RxStages.Telemetry;

/// <summary>A worker's counters at one moment, between two polls.</summary>
public sealed unsafe class TelemetrySnapshot
{
    private readonly ImmutableArray<long> _fates;
    private readonly ImmutableArray<long> _verdicts;
    private readonly ImmutableArray<long> _stageTicks;

    internal TelemetrySnapshot(Counters* counters)
    {
        Received = counters->Received;
        ReceivedBytes = counters->ReceivedBytes;
        Vectors = counters->Vectors;
        CopiesSent = counters->CopiesSent;
        CopiesLost = counters->CopiesLost;
        _fates = [.. new ReadOnlySpan<long>(counters->Fate, Fates.Count)];
        _verdicts = [.. new ReadOnlySpan<long>(counters->Verdict, Counters.VerdictCount)];
        VectorSizes = [.. new ReadOnlySpan<long>(counters->VectorSize, Packets.PacketVector.MaxCapacity + 1)];
        _stageTicks = [.. new ReadOnlySpan<long>(counters->StageTicks, Counters.StageCount)];
    }

    /// <summary>Packets received.</summary>
    public long Received { get; }

    /// <summary>Their bytes, fragments included; of packets too large for a frame only what was kept.</summary>
    public long ReceivedBytes { get; }

    /// <summary>Vectors that went through the stages; in per-packet mode each packet is one.</summary>
    public long Vectors { get; }

    /// <summary>Copies made for broadcasts that a target took. The packet itself goes to the last target and is not counted here.</summary>
    public long CopiesSent { get; }

    /// <summary>Copies for broadcasts that could not be made for want of frames, or that no target took.</summary>
    public long CopiesLost { get; }

    /// <summary>Vectors by size: the element <c>n</c> counts those of <c>n</c> packets.</summary>
    public ImmutableArray<long> VectorSizes { get; }

    /// <summary>How many packets met that fate.</summary>
    public long this[Fate fate] => _fates[(int)fate];

    /// <summary>How many packets got that verdict; <see cref="XdpAction.Aborted"/> counts values that are no verdict, too.</summary>
    public long this[XdpAction verdict] => _verdicts[(int)verdict];

    /// <summary>The time spent in a stage; zero where time was not counted.</summary>
    public TimeSpan TimeIn(Stage stage) => Stopwatch.GetElapsedTime(0, _stageTicks[(int)stage]);

    /// <summary>True if every packet received has exactly one fate: always, unless there is a bug.</summary>
    public bool IsBalanced => Received == _fates.Sum();
}
