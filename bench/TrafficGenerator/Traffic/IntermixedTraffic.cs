namespace RxStages.TrafficGenerator.Traffic;

/// <summary>Good traffic with an attack in it, packet between packet: 40 to 60.</summary>
public static class IntermixedTraffic
{
    private const ulong NanosecondsPerPacket = 50_000;

    /// <summary>That many frames in the order of their times, 20,000 a second; the same for the same seed.</summary>
    public static IReadOnlyList<TimedFrame> Generate(ulong seed, int packets)
    {
        var random = new Randomness(seed);
        var duration = (ulong)packets * NanosecondsPerPacket;
        var good = new GoodTraffic(random, duration);
        var attack = new AttackTraffic(random, duration);
        // In per cent. What some overshoot others fall short of; the last gives single frames, so that the sum is kept.
        (int Share, Func<IEnumerable<TimedFrame>> Exchange)[] mix =
        [
            (26, good.Connection),
            (6, good.Lookup),
            (3, good.Ping),
            (2, good.NeighbourLookup),
            (3, good.Quic),
            (2, attack.Fragments),
            (11, attack.Reflection),
            (6, attack.ReflectionOfBlockedServer),
            (14, attack.SynFloodOfFewSources),
            (12, attack.BlockedSource),
            (4, attack.DeniedService),
            (2, attack.Malformed),
            (9, attack.SynFlood),
        ];

        var frames = new List<TimedFrame>(packets);
        var shares = 0;
        foreach (var (share, exchange) in mix)
        {
            shares += share;
            while (frames.Count < (long)packets * shares / 100)
            {
                frames.AddRange(exchange());
            }
        }
        return [.. frames.OrderBy(frame => frame.Time).Take(packets)];
    }
}
