using System.Collections.Immutable;
using System.Reflection;
using System.Runtime.InteropServices;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>Timers in map values. Their functions are called between vectors, by the worker that started them.</summary>
internal static unsafe class TimerHelpers
{
    internal static readonly ImmutableArray<HelperDefinition> Definitions =
    [
        new(
            169,
            "timer_init",
            ReturnType.Integer,
            [ArgumentType.Timer, ArgumentType.ConstMapPointer, ArgumentType.Anything],
            Initialize,
            "kernel/bpf/helpers.c: bpf_timer_init",
            "Initializes the timer in a map value, by the clock that the flags name; EBUSY if it is initialized already, EINVAL for other clocks."
        ),
        new(
            170,
            "timer_set_callback",
            ReturnType.Integer,
            [ArgumentType.Timer, new Argument(ArgumentType.Function) { Callback = CallbackKind.Timer }],
            implementation: (MethodInfo?)null,
            "kernel/bpf/helpers.c: bpf_timer_set_callback",
            "Sets the function that a timer calls; EINVAL before it is initialized."
        ),
        new(
            171,
            "timer_start",
            ReturnType.Integer,
            [ArgumentType.Timer, ArgumentType.Anything, ArgumentType.Anything],
            Start,
            "kernel/bpf/helpers.c: bpf_timer_start",
            "Has a timer call its function after so many nanoseconds, or at a time (BPF_F_TIMER_ABS); EINVAL before a function is set."
        )
        {
            Difference =
                "The function is called between vectors of packets, by the clock that programs see, on the worker that started the timer.",
        },
        new(
            172,
            "timer_cancel",
            ReturnType.Integer,
            [ArgumentType.Timer],
            Cancel,
            "kernel/bpf/helpers.c: bpf_timer_cancel",
            "Stops a timer: 1 if it was pending, else 0; EINVAL before it is initialized, EDEADLK in its own function."
        ),
    ];

    /// <summary><c>bpf_timer_set_callback</c>, for compiler and interpreter, which alone know what the function is.</summary>
    /// <param name="timer">Where the timer is.</param>
    /// <param name="callback">A handle to the function.</param>
    internal static ulong SetCallback(ulong timer, nint callback) =>
        (ulong)MapTimers.SetCallback((nint)timer, GCHandle<TimerFunction>.FromIntPtr(callback).Target);

    private static ulong Initialize(BpfRuntime* runtime, ulong timer, ulong map, ulong flags, ulong r4, ulong r5) =>
        (ulong)MapTimers.Initialize((nint)timer, (MapHeader*)map, flags);

    private static ulong Start(BpfRuntime* runtime, ulong timer, ulong nanoseconds, ulong flags, ulong r4, ulong r5) =>
        (ulong)MapTimers.Start(runtime, (nint)timer, nanoseconds, flags);

    private static ulong Cancel(BpfRuntime* runtime, ulong timer, ulong r2, ulong r3, ulong r4, ulong r5) =>
        (ulong)MapTimers.Cancel((nint)timer);
}
