using RxStages.Bpf.Runtime;

namespace RxStages.Ports;

/// <summary>Takes every packet and does nothing with it: the output of a replay that nobody wants to see.</summary>
public sealed unsafe class DiscardingConsumer : IPacketConsumer
{
    private DiscardingConsumer() { }

    /// <summary>The one there is; it has no state.</summary>
    public static DiscardingConsumer Instance { get; } = new();

    /// <inheritdoc/>
    public bool KeepsFrames => false;

    /// <inheritdoc/>
    public int Accept(XdpBuff** packets, int count) => count;

    /// <inheritdoc/>
    public void Flush() { }

    /// <inheritdoc/>
    public void Reclaim() { }
}
