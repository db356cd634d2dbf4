using System.Collections.Immutable;
using RxStages.Bpf.Helpers;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Kfuncs;

/// <summary>
/// The open-coded iterator over numbers (<c>bpf_for</c>, <c>bpf_repeat</c>): its eight bytes of stack hold the present number
/// and the one to end before.
/// </summary>
internal static unsafe class NumberIterator
{
    private const string Structure = "bpf_iter_num";

    private static readonly Argument New = new(ArgumentType.UninitializedIterator)
    {
        BtfType = Structure,
        Size = sizeof(State),
    };

    private static readonly Argument Initialized = New with { Type = ArgumentType.Iterator };

    internal static readonly ImmutableArray<KfuncDefinition> Definitions =
    [
        new(
            "bpf_iter_num_new",
            ReturnType.Integer,
            [New, ArgumentType.Scalar, ArgumentType.Scalar],
            Begin,
            "kernel/bpf/bpf_iter.c: bpf_iter_num_new",
            "Starts to count from one number to before another: EINVAL if that is below, E2BIG if more than 8,388,608 lie between; then there is none to count."
        ),
        new(
            "bpf_iter_num_next",
            ReturnType.IteratorElementOrNull,
            [Initialized],
            Next,
            "kernel/bpf/bpf_iter.c: bpf_iter_num_next",
            "The address of the next number, or null behind the last."
        )
        {
            ReturnSize = sizeof(int),
        },
        new(
            "bpf_iter_num_destroy",
            ReturnType.Void,
            [Initialized],
            Destroy,
            "kernel/bpf/bpf_iter.c: bpf_iter_num_destroy",
            "Ends to count."
        ),
    ];

    private struct State
    {
        public int Present;
        public int End;
    }

    private static ulong Begin(BpfRuntime* runtime, ulong iterator, ulong start, ulong end, ulong r4, ulong r5)
    {
        var state = (State*)iterator;
        *state = default;
        if ((int)start > (int)end)
        {
            return unchecked((ulong)-Errno.EINVAL);
        }
        if ((long)(int)end - (int)start > BpfRuntime.MaxLoops)
        {
            return unchecked((ulong)-Errno.E2BIG);
        }
        state->Present = unchecked((int)start - 1);
        state->End = (int)end;
        return 0;
    }

    private static ulong Next(BpfRuntime* runtime, ulong iterator, ulong r2, ulong r3, ulong r4, ulong r5)
    {
        var state = (State*)iterator;
        if (unchecked(state->Present + 1) >= state->End)
        {
            *state = default;
            return 0;
        }
        state->Present++;
        return (ulong)&state->Present;
    }

    private static ulong Destroy(BpfRuntime* runtime, ulong iterator, ulong r2, ulong r3, ulong r4, ulong r5)
    {
        *(State*)iterator = default;
        return 0;
    }
}
