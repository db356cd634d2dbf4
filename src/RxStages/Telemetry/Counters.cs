using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using RxStages.Packets;

namespace RxStages.Telemetry;

/// <summary>A worker's counters. Private to its thread and plain; <see cref="WorkerTelemetry"/> publishes copies.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Counters
{
    /// <summary>Packets received.</summary>
    public long Received;

    /// <summary>Their bytes, fragments included.</summary>
    public long ReceivedBytes;

    /// <summary>Vectors that went through the stages.</summary>
    public long Vectors;

    /// <summary>Copies that broadcasts made and a target took; these were not received.</summary>
    public long CopiesSent;

    /// <summary>Copies that broadcasts could not make, or that no target took.</summary>
    public long CopiesLost;

    private fixed long _fates[Fates.Count];
    private fixed long _verdicts[VerdictCount];
    private fixed long _vectorSizes[PacketVector.MaxCapacity + 1];
    private fixed long _stageTicks[StageCount];

    /// <summary>The verdicts that there are; any other value counts as <c>XDP_ABORTED</c>.</summary>
    public const int VerdictCount = 5;

    /// <summary>The stages that there are.</summary>
    public const int StageCount = (int)Stage.Recycle + 1;

    /// <summary>Packets by fate; the sum is <see cref="Received"/> after every poll.</summary>
    public long* Fate => (long*)Unsafe.AsPointer(ref _fates[0]);

    /// <summary>Packets by verdict, those that no program saw not among them.</summary>
    public long* Verdict => (long*)Unsafe.AsPointer(ref _verdicts[0]);

    /// <summary>Vectors by size.</summary>
    public long* VectorSize => (long*)Unsafe.AsPointer(ref _vectorSizes[0]);

    /// <summary>Time by stage in ticks of the <see cref="System.Diagnostics.Stopwatch"/>; zero when time is not counted.</summary>
    public long* StageTicks => (long*)Unsafe.AsPointer(ref _stageTicks[0]);
}
