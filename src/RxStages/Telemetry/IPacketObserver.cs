using RxStages.Bpf.Runtime;

namespace RxStages.Telemetry;

/// <summary>Is told of every packet and what became of it, in the order in which the packets were received.</summary>
public unsafe interface IPacketObserver
{
    /// <summary>
    /// Called once per vector, when all stages are through with it and before its frames are used again. The packets are as the
    /// program left them, but for those that a consumer on another thread has changed since.
    /// </summary>
    /// <param name="packets">The packets in the order in which they were received.</param>
    /// <param name="verdicts">What the program returned for each; 0 where it was not run (<see cref="Fate.PacketTooLarge"/>).</param>
    /// <param name="fates">What became of each.</param>
    /// <param name="count">How many packets: 1 to 64.</param>
    void Observe(XdpBuff** packets, uint* verdicts, Fate* fates, int count);
}
