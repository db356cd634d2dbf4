using RxStages.Bpf.Maps;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Compilation;

/// <summary>Finding the program that a tail call goes to (<c>kernel/bpf/core.c</c>, <c>JMP_TAIL_CALL</c>).</summary>
internal static unsafe class TailCalls
{
    /// <summary>The program at an index, with the tail call counted, or null if the call fails, which is not counted.</summary>
    public static XdpProgram? Take(MapHeader* map, BpfRuntime* runtime, uint index)
    {
        if (runtime->TailCallCount >= BpfRuntime.MaxTailCalls)
        {
            return null;
        }
        var program = ProgramArrayOperations.Find(map, index);
        if (program is not null)
        {
            runtime->TailCallCount++;
        }
        return program;
    }
}
