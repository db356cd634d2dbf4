namespace RxStages.Telemetry;

/// <summary>
/// What became of a packet after its verdict. Every received packet has exactly one, so that the number received is
/// always the sum over all fates. How each comes about: docs/verdicts-and-fates.md.
/// </summary>
public enum Fate : byte
{
    /// <summary>Dropped because the program said so (<c>XDP_DROP</c>).</summary>
    Dropped = 0,

    /// <summary>Dropped because the program failed: <c>XDP_ABORTED</c>, or a value that is no verdict.</summary>
    Aborted,

    /// <summary>Taken by the network stack (<c>XDP_PASS</c>).</summary>
    Passed,

    /// <summary>Taken by the transmit queue of the port it came in by (<c>XDP_TX</c>).</summary>
    Transmitted,

    /// <summary>Taken by the redirect's target, or by at least one where it went to several (<c>XDP_REDIRECT</c>).</summary>
    Redirected,

    /// <summary>Dropped on its way out: <c>XDP_REDIRECT</c>, and the program on the map's entry did not pass it.</summary>
    DroppedAtTarget,

    /// <summary>Lost: <c>XDP_TX</c>, and the port's transmit ring was full.</summary>
    TxRingFull,

    /// <summary>Lost: <c>XDP_REDIRECT</c>, and the ring of every target was full.</summary>
    RedirectRingFull,

    /// <summary>Lost: <c>XDP_REDIRECT</c>, and nothing here is the target, or no helper chose one.</summary>
    NoRedirectTarget,

    /// <summary>Lost: <c>XDP_PASS</c>, and the network stack could not take any more.</summary>
    StackBacklogFull,

    /// <summary>Lost before the program: longer than a frame and its side buffer hold.</summary>
    PacketTooLarge,
}

/// <summary>The fates' names and number.</summary>
public static class Fates
{
    private static readonly string[] s_names =
    [
        "dropped",
        "aborted",
        "passed",
        "transmitted",
        "redirected",
        "dropped_at_target",
        "tx_ring_full",
        "redirect_ring_full",
        "no_redirect_target",
        "stack_backlog_full",
        "packet_too_large",
    ];

    /// <summary>How many fates there are; their values run from 0.</summary>
    public const int Count = (int)Fate.PacketTooLarge + 1;

    /// <summary>The fate's name in output of every kind: <c>tx_ring_full</c> for <see cref="Fate.TxRingFull"/>.</summary>
    public static string Name(this Fate fate) => s_names[(int)fate];
}
