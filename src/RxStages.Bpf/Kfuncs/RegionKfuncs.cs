using System.Collections.Immutable;
using RxStages.Bpf.Helpers;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Kfuncs;

/// <summary>
/// Kfuncs around regions in which the kernel keeps others away. The verifier holds programs to them; a worker has its packets
/// for itself, so that there is nothing to do when they run.
/// </summary>
internal static unsafe class RegionKfuncs
{
    internal static readonly ImmutableArray<KfuncDefinition> Definitions =
    [
        new(
            "bpf_rcu_read_lock",
            ReturnType.Void,
            [],
            DoNothing,
            "kernel/bpf/helpers.c: bpf_rcu_read_lock",
            "Begins a region in which what RCU protects may be used."
        )
        {
            Region = KfuncRegion.RcuBegin,
        },
        new(
            "bpf_rcu_read_unlock",
            ReturnType.Void,
            [],
            DoNothing,
            "kernel/bpf/helpers.c: bpf_rcu_read_unlock",
            "Ends it."
        )
        {
            Region = KfuncRegion.RcuEnd,
        },
        new(
            "bpf_preempt_disable",
            ReturnType.Void,
            [],
            DoNothing,
            "kernel/bpf/helpers.c: bpf_preempt_disable",
            "Begins a region in which the CPU does nothing else."
        )
        {
            Region = KfuncRegion.PreemptOffBegin,
        },
        new(
            "bpf_preempt_enable",
            ReturnType.Void,
            [],
            DoNothing,
            "kernel/bpf/helpers.c: bpf_preempt_enable",
            "Ends it."
        )
        {
            Region = KfuncRegion.PreemptOffEnd,
        },
    ];

    private static ulong DoNothing(BpfRuntime* runtime, ulong r1, ulong r2, ulong r3, ulong r4, ulong r5) => 0;
}
