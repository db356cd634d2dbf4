using RxStages.Packets;
using RxStages.Ports;
using RxStages.Telemetry;

namespace RxStages.Stages;

/// <summary>What the stages that hand a vector to a single consumer have in common: what it has no room for is lost, visibly.</summary>
internal abstract unsafe class ConsumerStage(IPacketConsumer consumer, Fate taken, Fate lost, Counters* counters)
{
    private readonly bool _keepsFrames = consumer.KeepsFrames;
    private bool _needsFlush;

    /// <summary>Hands the vector over.</summary>
    public void Run(PacketVector* vector, VectorOutcome* outcome)
    {
        var count = vector->Count;
        var accepted = Accept(consumer, vector);
        _needsFlush = true;
        counters->Fate[(int)taken] += accepted;
        if (_keepsFrames)
        {
            for (var i = 0; i < accepted; i++)
            {
                outcome->Kept |= 1UL << vector->Positions[i];
            }
        }
        if (accepted < count)
        {
            counters->Fate[(int)lost] += count - accepted;
            for (var i = accepted; i < count; i++)
            {
                outcome->Fates[vector->Positions[i]] = lost;
            }
        }
    }

    /// <summary>Has the consumer send off what it was handed since the last time.</summary>
    public void Flush()
    {
        if (_needsFlush)
        {
            consumer.Flush();
            _needsFlush = false;
        }
    }

    /// <summary>Has the consumer give back frames that it kept.</summary>
    public void Reclaim()
    {
        if (_keepsFrames)
        {
            consumer.Reclaim();
        }
    }

    /// <summary>Hands a vector to a consumer, and does not believe an answer that cannot be.</summary>
    internal static int Accept(IPacketConsumer consumer, PacketVector* vector)
    {
        var accepted = consumer.Accept(vector->Packets, vector->Count);
        if ((uint)accepted > (uint)vector->Count)
        {
            throw new InvalidOperationException(
                $"{consumer.GetType()} says that it accepted {accepted} packets of {vector->Count}"
            );
        }
        return accepted;
    }
}
