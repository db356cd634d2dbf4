using System.Collections.Immutable;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>Helpers for maps without keys: queues, stacks and Bloom filters.</summary>
internal static unsafe class QueueHelpers
{
    internal static readonly ImmutableArray<HelperDefinition> Definitions =
    [
        new(
            87,
            "map_push_elem",
            ReturnType.Integer,
            [ArgumentType.ConstMapPointer, ArgumentType.MapValue, ArgumentType.Anything],
            PushElement,
            "kernel/bpf/helpers.c: bpf_map_push_elem",
            "Adds a value; to a full queue or stack only with BPF_EXIST, which drops the oldest."
        )
        {
            AllowsPacketAccess = true,
        },
        new(
            88,
            "map_pop_elem",
            ReturnType.Integer,
            [ArgumentType.ConstMapPointer, ArgumentType.WritableMapValue],
            PopElement,
            "kernel/bpf/helpers.c: bpf_map_pop_elem",
            "Takes out the oldest value of a queue or the newest of a stack; zeros and ENOENT if there is none."
        ),
        new(
            89,
            "map_peek_elem",
            ReturnType.Integer,
            [ArgumentType.ConstMapPointer, ArgumentType.WritableMapValue],
            PeekElement,
            "kernel/bpf/helpers.c: bpf_map_peek_elem",
            "Copies the value that would be popped; of a Bloom filter, asks whether the value given may have been added."
        ),
    ];

    private static ulong PushElement(BpfRuntime* runtime, ulong map, ulong value, ulong flags, ulong r4, ulong r5) =>
        (ulong)(
            IsBloomFilter(map)
                ? BloomFilterOperations.Push((BloomFilterHeader*)map, (byte*)value, flags)
                : QueueOperations.Push((QueueHeader*)map, (byte*)value, flags)
        );

    private static ulong PopElement(BpfRuntime* runtime, ulong map, ulong value, ulong r3, ulong r4, ulong r5) =>
        (ulong)QueueOperations.Get((QueueHeader*)map, (byte*)value, delete: true);

    private static ulong PeekElement(BpfRuntime* runtime, ulong map, ulong value, ulong r3, ulong r4, ulong r5) =>
        (ulong)(
            IsBloomFilter(map)
                ? BloomFilterOperations.Peek((BloomFilterHeader*)map, (byte*)value)
                : QueueOperations.Get((QueueHeader*)map, (byte*)value, delete: false)
        );

    private static bool IsBloomFilter(ulong map) => ((MapHeader*)map)->Type == MapType.BloomFilter;
}
