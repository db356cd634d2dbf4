using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Verification;

/// <summary>Limits and circumstances of verification; the defaults are the kernel's for a privileged loader.</summary>
public sealed record VerifierOptions
{
    /// <summary>
    /// The object's license text. As in the kernel, helpers that are for GPL-compatible programs only are refused to others.
    /// </summary>
    public string License { get; init; } = "GPL";

    /// <summary>The kernel whose types the structures have that kfuncs and helpers give to programs; they are read when needed.</summary>
    public TargetKernel Kernel { get; init; } = TargetKernel.None;

    /// <summary>
    /// How many CPUs programs may see: <c>bpf_get_smp_processor_id</c> gives a number below, so that programs may use it as an
    /// index unchecked where there is room for that many (<c>nr_cpu_ids</c>).
    /// </summary>
    public int CpuCount { get; init; } = Environment.ProcessorCount;

    /// <summary>Instructions looked at, over all paths, before the program counts as too complex (<c>BPF_COMPLEXITY_LIMIT_INSNS</c>).</summary>
    public long MaxInstructionsVisited { get; init; } = 1_000_000;

    /// <summary>Branches waiting to be followed at once (<c>BPF_COMPLEXITY_LIMIT_JMP_SEQ</c>).</summary>
    public int MaxPendingBranches { get; init; } = 8192;

    /// <summary>Bytes of memory that states of the program may take before it counts as too complex.</summary>
    public long MaxStateMemory { get; init; } = 192 << 20;

    /// <summary>
    /// Slots of stack or registers compared between states before the program counts as too complex: bounds the time that
    /// hostile code takes, far above what any real program needs.
    /// </summary>
    public long MaxComparisons { get; init; } = 400_000_000;

    /// <summary>False to go every path to its end: what pruning is tested against.</summary>
    internal bool IsPruning { get; init; } = true;

    internal bool IsGplCompatible =>
        License
            is "GPL"
                or "GPL v2"
                or "GPL and additional rights"
                or "Dual BSD/GPL"
                or "Dual MIT/GPL"
                or "Dual MPL/GPL";
}
