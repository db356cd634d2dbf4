using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>A function of a program that timers call: compiled or interpreted.</summary>
public abstract unsafe class TimerFunction
{
    /// <summary>Calls it. Never throws for what it does.</summary>
    /// <param name="runtime">The worker's state.</param>
    /// <param name="map">The map that the timer is in.</param>
    /// <param name="key">The element's key.</param>
    /// <param name="value">The element's value.</param>
    public abstract void Call(BpfRuntime* runtime, MapHeader* map, byte* key, byte* value);
}
