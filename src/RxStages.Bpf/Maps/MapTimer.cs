namespace RxStages.Bpf.Maps;

/// <summary>A <c>struct bpf_timer</c> in a map's value that was initialised. Guarded by the lock of <see cref="MapTimers"/>.</summary>
internal sealed unsafe class MapTimer
{
    /// <summary>Where the structure is.</summary>
    public nint Address;

    /// <summary>The map.</summary>
    public MapHeader* Map;

    /// <summary>The clock that absolute times are of (<c>CLOCK_MONOTONIC</c> and others).</summary>
    public int Clock;

    /// <summary>What it calls, or null.</summary>
    public TimerFunction? Callback;

    /// <summary>True while its function runs.</summary>
    public bool IsRunning;

    /// <summary>The queue that it waits in, or null.</summary>
    public TimerQueue? Queue;

    /// <summary>When it is due.</summary>
    public ulong Due;

    /// <summary>Tells timers apart that are due at the same time: those started first come first.</summary>
    public ulong Sequence;

    /// <summary>Its place in the queue.</summary>
    public int Place;

    /// <summary>The value that it is in.</summary>
    public byte* Value => (byte*)Address - Map->TimerOffset;

    /// <summary>True when it is due before another.</summary>
    public bool IsBefore(MapTimer other) => Due < other.Due || (Due == other.Due && Sequence < other.Sequence);
}
