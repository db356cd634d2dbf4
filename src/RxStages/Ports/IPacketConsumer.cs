using RxStages.Bpf.Runtime;

namespace RxStages.Ports;

/// <summary>
/// Where a worker's packets go: a port's transmit queue, the network stack, a redirect target. Calls are per vector. Used
/// by that worker's thread only.
/// </summary>
public unsafe interface IPacketConsumer
{
    /// <summary>
    /// True if accepted packets' frames stay with the consumer until <see cref="Reclaim"/>; false if it is through with
    /// them when <see cref="Accept"/> returns. Never changes.
    /// </summary>
    bool KeepsFrames { get; }

    /// <summary>
    /// Takes packets in order, as many as there is room for; never waits for room. Bytes and boundaries are the packet's, and
    /// must not be changed while the vector is in the stages.
    /// </summary>
    /// <returns>How many of the first packets were taken, 0 to <paramref name="count"/>; the rest is lost.</returns>
    int Accept(XdpBuff** packets, int count);

    /// <summary>Sends off what was accepted: at the end of each vector, or in per-packet mode of each poll.</summary>
    void Flush();

    /// <summary>Recycles the frames that the consumer kept and is through with. Called at the start of each poll.</summary>
    void Reclaim();
}
