namespace RxStages.Bpf.Runtime;

/// <summary>
/// Services whose clocks do not run, so that a replay repeats exactly: they stand, or move on with the timestamps of the
/// packets. For one worker.
/// </summary>
/// <param name="start">The monotonic clock at first, in nanoseconds since boot.</param>
/// <param name="wallStart">The time of day at first, in nanoseconds since 1970; what packets' timestamps are compared with.</param>
/// <param name="followsPackets">True: a packet with a later timestamp moves all clocks on. No packet moves them back.</param>
public sealed class FixedClockServices(ulong start, ulong wallStart, bool followsPackets) : RuntimeServices
{
    private ulong _elapsed;

    /// <inheritdoc/>
    public override ulong KtimeGetNs() => start + _elapsed;

    /// <inheritdoc/>
    public override ulong KtimeGetTaiNs() => wallStart + _elapsed;

    /// <inheritdoc/>
    public override void PacketTime(ulong timestamp)
    {
        if (followsPackets && timestamp > wallStart + _elapsed)
        {
            _elapsed = timestamp - wallStart;
        }
    }
}
