using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using RxStages.Packets;
using RxStages.Telemetry;

namespace RxStages.Stages;

/// <summary>What is known of the packets of a received vector, by position: the stages write it as they go.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct VectorOutcome
{
    private fixed uint _verdicts[PacketVector.MaxCapacity];
    private fixed byte _fates[PacketVector.MaxCapacity];

    /// <summary>A bit per position: set where a consumer keeps the packet's frame.</summary>
    public ulong Kept;

    /// <summary>A bit per position: set where the packet was redirected and there is a target for it.</summary>
    public ulong HasTarget;

    /// <summary>A bit per position: set where a target took the redirected packet, or a copy of it.</summary>
    public ulong Redirected;

    /// <summary>A bit per position: set where the program on an entry did not pass a packet that goes to several, or a copy of it.</summary>
    public ulong Stopped;

    /// <summary>What the program returned.</summary>
    public uint* Verdicts => (uint*)Unsafe.AsPointer(ref _verdicts[0]);

    /// <summary>Forgets what the bits say of the last vector.</summary>
    public void Clear() => Kept = HasTarget = Redirected = Stopped = 0;

    /// <summary>
    /// The packets' fates. Stages write losses only; the fates that follow from the verdict are filled in, before them, when
    /// there is an observer to read them.
    /// </summary>
    public Fate* Fates => (Fate*)Unsafe.AsPointer(ref _fates[0]);
}
