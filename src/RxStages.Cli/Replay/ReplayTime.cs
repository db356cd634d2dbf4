using System.Globalization;
using RxStages.Bpf.Runtime;

namespace RxStages.Cli.Replay;

/// <summary>The clock of a replay: the machine's, the packets', or one that stands still.</summary>
/// <param name="FollowsPackets">The clocks show each packet's timestamp.</param>
/// <param name="StandsAt">The clocks stand there, in nanoseconds.</param>
internal readonly record struct ReplayTime(bool FollowsPackets, ulong? StandsAt)
{
    /// <summary>What can be asked for, as the help has it.</summary>
    public const string Form = "real|packets|NANOSECONDS";

    /// <summary>Reads <c>real</c>, <c>packets</c> or a number of nanoseconds; null if it is neither.</summary>
    public static ReplayTime? Parse(string text) =>
        text switch
        {
            "real" => default(ReplayTime),
            "packets" => new ReplayTime(true, null),
            _ => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var time)
                ? new ReplayTime(false, time)
                : null,
        };

    /// <summary>Services with that clock.</summary>
    public RuntimeServices CreateServices() =>
        FollowsPackets ? new FixedClockServices(0, 0, followsPackets: true)
        : StandsAt is { } time ? new FixedClockServices(time, time, followsPackets: false)
        : new RuntimeServices();
}
