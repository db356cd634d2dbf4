namespace RxStages.Bpf.Runtime;

/// <summary>What helpers ask of their surroundings, apart from packet and maps. Control path: only slow helpers come here.</summary>
public class RuntimeServices
{
    /// <summary>Takes a line of <c>bpf_trace_printk</c>, without the line break; null throws the lines away.</summary>
    public Action<string>? TracePrint { get; set; }

    /// <summary>The clock of <c>bpf_ktime_get_ns</c> and its kin.</summary>
    public virtual ulong KtimeGetNs() =>
        (ulong)(System.Diagnostics.Stopwatch.GetTimestamp() * (1e9 / System.Diagnostics.Stopwatch.Frequency));
}
