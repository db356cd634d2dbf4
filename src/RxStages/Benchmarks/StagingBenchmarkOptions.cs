using RxStages.Ports;

namespace RxStages.Benchmarks;

/// <summary>What a <see cref="StagingBenchmark"/> measures.</summary>
public sealed record StagingBenchmarkOptions
{
    /// <summary>The vector sizes to measure in staged mode, each 1 to 64.</summary>
    public IReadOnlyList<int> VectorSizes { get; init; } = [1, 4, 8, 16, 32];

    /// <summary>How much of the traffic passes to the network stack, in percent, each 0 to 100.</summary>
    public IReadOnlyList<int> PassPercents { get; init; } = [0, 1, 10, 50];

    /// <summary>Packets in a round.</summary>
    public int Packets { get; init; } = 8192;

    /// <summary>Rounds that count; medians are over them.</summary>
    public int Rounds { get; init; } = 15;

    /// <summary>Rounds before those.</summary>
    public int WarmUpRounds { get; init; } = 3;

    /// <summary>Bytes of machine code that the network stack goes through for each packet.</summary>
    public int StackFootprint { get; init; } = 128 << 10;

    /// <summary>Whether packets are in the cache when they are received.</summary>
    public PacketTemperature Temperature { get; init; } = PacketTemperature.Warm;

    /// <summary>Whether the receive stage prefetches.</summary>
    public bool Prefetch { get; init; } = true;
}
