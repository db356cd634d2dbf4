using RxStages.Bpf.Maps;
using RxStages.Bpf.Runtime;
using RxStages.Packets;
using RxStages.Ports;
using RxStages.Telemetry;

namespace RxStages.Stages;

/// <summary>
/// What is on its way to one redirect consumer: packets gather here in order, as in the kernel's bulk queue of a device
/// (<c>struct xdp_dev_bulk_queue</c>), and go over together.
/// </summary>
internal sealed unsafe class RedirectQueue(IPacketConsumer consumer, FramePool pool, Counters* counters) : IDisposable
{
    /// <summary>Set in the position of a broadcast's copy: what becomes of its frame is not the received packet's business.</summary>
    private const int CopyFlag = 0x80;

    private readonly bool _keepsFrames = consumer.KeepsFrames;
    private PacketVector* _pending = NativeBlock.Allocate<PacketVector>();

    /// <summary>True from the first packet until the next <see cref="Flush"/>: for the stage's list of queues in use.</summary>
    public bool IsActive { get; set; }

    /// <summary>Appends the received packet of that position.</summary>
    public void Add(XdpBuff* packet, int position, VectorOutcome* outcome)
    {
        if (_pending->Count == PacketVector.MaxCapacity)
        {
            HandOver(outcome);
        }
        _pending->Add(packet, position);
    }

    /// <summary>
    /// Appends a copy of the received packet of that position, if the program on the entry passes it; without a frame for it
    /// the copy is lost.
    /// </summary>
    public void AddCopy(
        XdpBuff* packet,
        int position,
        DevmapTarget entry,
        EntryProgramStage programs,
        VectorOutcome* outcome
    )
    {
        var copy = pool.Take();
        if (copy == null)
        {
            counters->CopiesLost++;
        }
        else if (!PacketBytes.TryCopy(packet, copy, pool))
        {
            counters->CopiesLost++;
            pool.Recycle(&copy, 1);
        }
        else if (programs.Passes(copy, entry))
        {
            Add(copy, position | CopyFlag, outcome);
        }
        else
        {
            outcome->Stopped |= 1UL << position;
            pool.Recycle(&copy, 1);
        }
    }

    /// <summary>Hands over what has gathered; what the consumer has no room for is lost.</summary>
    public void HandOver(VectorOutcome* outcome)
    {
        if (_pending->Count == 0)
        {
            return;
        }
        var accepted = ConsumerStage.Accept(consumer, _pending);
        for (var i = 0; i < _pending->Count; i++)
        {
            var position = _pending->Positions[i];
            var bit = 1UL << (position & ~CopyFlag);
            var isAccepted = i < accepted;
            var isKept = isAccepted && _keepsFrames;
            outcome->Redirected |= isAccepted ? bit : 0;
            if ((position & CopyFlag) == 0)
            {
                outcome->Kept |= isKept ? bit : 0;
                continue;
            }
            counters->CopiesSent += isAccepted ? 1 : 0;
            counters->CopiesLost += isAccepted ? 0 : 1;
            if (!isKept)
            {
                pool.Recycle(_pending->Packets + i, 1);
            }
        }
        _pending->Count = 0;
    }

    /// <summary>Has the consumer send off what it was handed since the last time.</summary>
    public void Flush()
    {
        consumer.Flush();
        IsActive = false;
    }

    /// <summary>Has the consumer give back frames that it kept.</summary>
    public void Reclaim()
    {
        if (_keepsFrames)
        {
            consumer.Reclaim();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => NativeBlock.Free(ref _pending);
}
