using System.Collections.Immutable;
using System.Reflection;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>
/// Helpers that call a function of the program again and again before they return. Only compiler and interpreter can call
/// it, so that they carry these helpers out.
/// </summary>
internal static unsafe class CallbackHelpers
{
    internal static readonly ImmutableArray<HelperDefinition> Definitions =
    [
        new(
            164,
            "for_each_map_elem",
            ReturnType.Integer,
            [
                ArgumentType.ConstMapPointer,
                new Argument(ArgumentType.Function) { Callback = CallbackKind.ForEachMapElement },
                ArgumentType.StackOrNull,
                ArgumentType.Anything,
            ],
            implementation: (MethodInfo?)null,
            "kernel/bpf/bpf_iter.c: bpf_for_each_map_elem",
            "Calls a function of the program for each element of a map, until it returns 1; the number of calls."
        ),
        new(
            181,
            "loop",
            ReturnType.Integer,
            [
                ArgumentType.Anything,
                new Argument(ArgumentType.Function) { Callback = CallbackKind.Loop },
                ArgumentType.StackOrNull,
                ArgumentType.Anything,
            ],
            implementation: (MethodInfo?)null,
            "kernel/bpf/bpf_iter.c: bpf_loop",
            "Calls a function of the program so many times, at most 8,388,608, until it returns 1; the number of calls."
        ),
    ];

    /// <summary>See <see cref="IMapOperations.NextElement"/>, for a map of which only the header is known.</summary>
    internal static bool NextElement(MapHeader* map, BpfRuntime* runtime, MapCursor* cursor) =>
        map->NextElement(map, runtime, cursor);
}
