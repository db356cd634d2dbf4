using RxStages.Engine;

namespace RxStages.Benchmarks;

/// <summary>What one configuration of a <see cref="StagingBenchmark"/> came to.</summary>
/// <param name="Mode">Staged or per-packet.</param>
/// <param name="VectorSize">The vector size; 1 in per-packet mode.</param>
/// <param name="PassPercent">The share of the traffic that was to pass.</param>
/// <param name="MeasuredPassPercent">The share that did: a program with state may decide differently each time.</param>
/// <param name="XdpNanoseconds">The time of the XDP stage per packet.</param>
/// <param name="TotalNanoseconds">The time of all stages per packet, the network stack's among them.</param>
public sealed record StagingResult(
    EngineMode Mode,
    int VectorSize,
    int PassPercent,
    double MeasuredPassPercent,
    Spread XdpNanoseconds,
    Spread TotalNanoseconds
);

/// <summary>Samples of one figure.</summary>
/// <param name="Median">The middle one: the figure to quote.</param>
/// <param name="Least">The least.</param>
/// <param name="Most">The greatest; far from the median on a noisy machine.</param>
public sealed record Spread(double Median, double Least, double Most)
{
    /// <summary>The spread of samples, of which there is at least one.</summary>
    internal static Spread Of(List<double> samples)
    {
        var sorted = samples.Order().ToArray();
        var middle = sorted.Length / 2;
        var median = sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new Spread(median, sorted[0], sorted[^1]);
    }
}
