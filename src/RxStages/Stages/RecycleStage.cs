using System.Numerics;
using RxStages.Packets;

namespace RxStages.Stages;

/// <summary>Stage 8: gives the vector's frames back in bulk, but for those that a consumer keeps.</summary>
internal sealed unsafe class RecycleStage(FramePool pool)
{
    /// <summary>Recycles the frames of a received vector.</summary>
    /// <param name="vector">The vector; its packets are gone afterwards.</param>
    /// <param name="kept">A bit per position: set where the frame is not ours any more.</param>
    public void Run(PacketVector* vector, ulong kept)
    {
        var packets = vector->Packets;
        var count = vector->Count;
        if (kept != 0)
        {
            count = 0;
            for (var ours = ~kept & (ulong.MaxValue >> (64 - vector->Count)); ours != 0; ours &= ours - 1)
            {
                packets[count++] = packets[BitOperations.TrailingZeroCount(ours)];
            }
        }
        pool.Recycle(packets, count);
    }
}
