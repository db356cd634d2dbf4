using RxStages.Bpf.Runtime;
using RxStages.Packets;

namespace RxStages.Ports;

/// <summary>
/// A port's receive queue: where one worker's packets come from. Calls are per vector. Used by that worker's thread only.
/// </summary>
public unsafe interface IReceiveQueue
{
    /// <summary>
    /// What <see cref="Receive"/> returns for one packet that is longer than a frame and its side buffer hold.
    /// </summary>
    const int TooLarge = -1;

    /// <summary>The pool that received packets' frames come from and go back to.</summary>
    FramePool Pool { get; }

    /// <summary>True once no packet will ever come again: at the end of a capture, or of a port that was closed.</summary>
    bool IsFinished { get; }

    /// <summary>
    /// Takes packets that are ready, without waiting for more: oldest first, each in a frame of <see cref="Pool"/> that is from
    /// then on the caller's, all fields of its view set.
    /// </summary>
    /// <param name="packets">Gets the packets.</param>
    /// <param name="max">The most to take, 1 to 64.</param>
    /// <returns>
    /// How many, 0 when none is ready or the pool has no frame; or <see cref="TooLarge"/> for a packet that must be lost: then
    /// the first of <paramref name="packets"/> alone is set, to a frame with what the linear part holds of it.
    /// </returns>
    int Receive(XdpBuff** packets, int max);

    /// <summary>
    /// Prefetches the views and headers of up to <paramref name="max"/> packets that are ready and will be received next.
    /// </summary>
    /// <returns>For how many it was done: 0 where the port cannot look ahead, or where they are in the cache anyway.</returns>
    int PrefetchReady(int max);
}
