using RxStages.Bpf.Runtime;
using RxStages.Packets;
using RxStages.Ports;
using RxStages.Telemetry;

namespace RxStages.Stages;

/// <summary>
/// Stage 1: takes what is ready, never waits for a vector to fill. Prefetches the packets' headers, and those of the vector
/// that will come next where the port has it ready, so that its cache misses pass while this one is worked on.
/// </summary>
internal sealed unsafe class ReceiveStage(IReceiveQueue queue, bool prefetch, Counters* counters)
{
    /// <summary>How many of the packets that come next were prefetched already.</summary>
    private int _prefetched;

    /// <summary>Fills a vector with up to <paramref name="max"/> packets, their positions being 0, 1, …</summary>
    /// <returns>False when the vector is one packet that is too large and must be lost.</returns>
    public bool Run(PacketVector* vector, int max)
    {
        var count = queue.Receive(vector->Packets, max);
        var fits = count != IReceiveQueue.TooLarge;
        vector->Count = count = fits ? count : 1;
        if (prefetch)
        {
            Prefetch(vector->Packets, count, max);
        }
        long bytes = 0;
        for (var i = 0; i < count; i++)
        {
            bytes += vector->Packets[i]->Length;
        }
        counters->Received += count;
        counters->ReceivedBytes += bytes;
        return fits;
    }

    private void Prefetch(XdpBuff** packets, int count, int max)
    {
        for (var i = _prefetched; i < count; i++)
        {
            Packets.Prefetch.Read(packets[i]->Data);
        }
        _prefetched = count == 0 ? 0 : queue.PrefetchReady(max);
    }
}
