using System.Collections.Immutable;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>Helpers about the worker that runs the program: its CPU and its random numbers.</summary>
internal static unsafe class WorkerHelpers
{
    internal static readonly ImmutableArray<HelperDefinition> Definitions =
    [
        new(
            7,
            "get_prandom_u32",
            ReturnType.Integer,
            [],
            GetPrandomU32,
            "kernel/bpf/core.c: bpf_user_rnd_u32",
            "A pseudo-random number of 32 bits; the worker's own sequence, which its seed decides."
        ),
        new(
            8,
            "get_smp_processor_id",
            ReturnType.CpuNumber,
            [],
            GetSmpProcessorId,
            "kernel/bpf/helpers.c: bpf_get_smp_processor_id",
            "The number of the CPU: here of the worker, which is also its slot in per-CPU maps."
        ),
        new(
            42,
            "get_numa_node_id",
            ReturnType.Integer,
            [],
            GetNumaNodeId,
            "kernel/bpf/helpers.c: bpf_get_numa_node_id",
            "The NUMA node of the CPU."
        ),
    ];

    // xorshift64* (Vigna 2016): the high half is of good quality, the state never becomes 0.
    private static ulong GetPrandomU32(BpfRuntime* runtime, ulong r1, ulong r2, ulong r3, ulong r4, ulong r5)
    {
        var state = runtime->RandomState;
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        runtime->RandomState = state;
        return (state * 0x2545f4914f6cdd1d) >> 32;
    }

    private static ulong GetSmpProcessorId(BpfRuntime* runtime, ulong r1, ulong r2, ulong r3, ulong r4, ulong r5) =>
        (uint)runtime->Cpu;

    private static ulong GetNumaNodeId(BpfRuntime* runtime, ulong r1, ulong r2, ulong r3, ulong r4, ulong r5) =>
        (uint)runtime->NumaNode;
}
