using System.Diagnostics;
using System.Runtime.CompilerServices;
using RxStages.Telemetry;

namespace RxStages.Engine;

/// <summary>Counts the time that stages take. A type parameter of the pipeline, so that counting none costs nothing.</summary>
internal unsafe interface IStageClock
{
    /// <summary>The first stage begins.</summary>
    void Start();

    /// <summary>A stage is through, the next begins.</summary>
    void EndOf(Stage stage, Counters* counters);
}

/// <summary>Reads the time once between two stages.</summary>
internal unsafe struct StopwatchStageClock : IStageClock
{
    private long _last;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Start() => _last = Stopwatch.GetTimestamp();

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void EndOf(Stage stage, Counters* counters)
    {
        var now = Stopwatch.GetTimestamp();
        counters->StageTicks[(int)stage] += now - _last;
        _last = now;
    }
}

/// <summary>Does nothing.</summary>
internal unsafe struct NoStageClock : IStageClock
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void Start() { }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly void EndOf(Stage stage, Counters* counters) { }
}
