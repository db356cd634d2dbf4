using System.Collections.Immutable;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>Helpers that write to perf events.</summary>
internal static unsafe class PerfHelpers
{
    internal static readonly ImmutableArray<HelperDefinition> Definitions =
    [
        new(
            25,
            "perf_event_output",
            ReturnType.Integer,
            [
                ArgumentType.Context,
                ArgumentType.ConstMapPointer,
                ArgumentType.Anything,
                ArgumentType.ReadableMemory,
                ArgumentType.SizeOrZero,
            ],
            PerfEventOutput,
            "net/core/filter.c: bpf_xdp_event_output; kernel/trace/bpf_trace.c: bpf_event_output",
            "Writes an event, with as many bytes of the packet as the flags say, to the reader of an index or of this CPU (BPF_F_CURRENT_CPU); ENOENT where nobody reads, ENOSPC where there is no room."
        )
        {
            IsGplOnly = true,
            Difference = "An event of more than 65,516 bytes is refused (E2BIG); in the kernel its size wraps around.",
        },
    ];

    private static ulong PerfEventOutput(
        BpfRuntime* runtime,
        ulong context,
        ulong map,
        ulong flags,
        ulong data,
        ulong size
    ) =>
        (ulong)
            PerfEventArrayOperations.Output(
                (PerfEventArrayHeader*)map,
                runtime,
                (XdpBuff*)context,
                flags,
                (byte*)data,
                size
            );
}
