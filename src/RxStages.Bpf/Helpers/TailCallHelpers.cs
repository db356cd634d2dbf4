using System.Collections.Immutable;
using System.Reflection;

namespace RxStages.Bpf.Helpers;

/// <summary>
/// The tail call: a jump into another program rather than a call, so that compiler and interpreter carry it out and the
/// table has only its signature.
/// </summary>
internal static class TailCallHelpers
{
    internal static readonly ImmutableArray<HelperDefinition> Definitions =
    [
        // Packet pointers stay valid behind it: it comes back only when it ran nothing. But a function that makes a tail
        // call returns to its caller after the other program, so for callers it changes packet data.
        new(
            12,
            "tail_call",
            ReturnType.Void,
            [ArgumentType.Context, ArgumentType.ConstMapPointer, ArgumentType.Anything],
            implementation: (MethodInfo?)null,
            "kernel/bpf/core.c: bpf_tail_call",
            "Jumps into the program at an index of a program array and never returns; goes on behind the call when there is no such program or 33 tail calls were made."
        ),
    ];
}
