using System.Runtime.CompilerServices;
using RxStages.Bpf.Runtime;
using RxStages.Packets;
using RxStages.Telemetry;

namespace RxStages.Stages;

/// <summary>
/// Stage 4: sorts the vector by verdict into five vectors, in one pass without a branch that depends on a verdict, keeping
/// the order.
/// </summary>
internal sealed unsafe class SplitStage(Counters* counters) : IDisposable
{
    private PacketVector* _byVerdict = NativeBlock.Allocate<PacketVector>(Counters.VerdictCount);

    /// <summary>The packets with a verdict; good until the next <see cref="Run"/>.</summary>
    public PacketVector* this[XdpAction verdict] => _byVerdict + (uint)verdict;

    /// <summary>The verdict that a program's return value means: what is not one is <c>XDP_ABORTED</c>, as in the kernel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static XdpAction VerdictOf(uint returned) =>
        returned < Counters.VerdictCount ? (XdpAction)returned : XdpAction.Aborted;

    /// <summary>Sorts a vector.</summary>
    public void Run(PacketVector* vector, uint* verdicts)
    {
        var byVerdict = _byVerdict;
        for (var verdict = 0; verdict < Counters.VerdictCount; verdict++)
        {
            byVerdict[verdict].Count = 0;
        }
        var packets = vector->Packets;
        var count = vector->Count;
        for (var i = 0; i < count; i++)
        {
            byVerdict[(uint)VerdictOf(verdicts[i])].Add(packets[i], i);
        }
        for (var verdict = 0; verdict < Counters.VerdictCount; verdict++)
        {
            counters->Verdict[verdict] += byVerdict[verdict].Count;
        }
        counters->Fate[(int)Fate.Dropped] += byVerdict[(int)XdpAction.Drop].Count;
        counters->Fate[(int)Fate.Aborted] += byVerdict[(int)XdpAction.Aborted].Count;
    }

    /// <inheritdoc/>
    public void Dispose() => NativeBlock.Free(ref _byVerdict);
}
