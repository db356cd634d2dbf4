using System.Collections.Immutable;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>
/// Helpers that work on maps of any type, through the map's own operations. Where the map is known when a program is
/// compiled, the compiler calls the operations directly instead.
/// </summary>
internal static unsafe class MapHelpers
{
    internal static readonly ImmutableArray<HelperDefinition> Definitions =
    [
        new(
            1,
            "map_lookup_elem",
            ReturnType.MapValueOrNull,
            [ArgumentType.ConstMapPointer, ArgumentType.MapKey],
            LookupElement,
            "kernel/bpf/helpers.c: bpf_map_lookup_elem",
            "The address of the key's value, or null if the map does not have the key."
        )
        {
            AllowsPacketAccess = true,
        },
        new(
            2,
            "map_update_elem",
            ReturnType.Integer,
            [ArgumentType.ConstMapPointer, ArgumentType.MapKey, ArgumentType.MapValue, ArgumentType.Anything],
            UpdateElement,
            "kernel/bpf/helpers.c: bpf_map_update_elem",
            "Sets the key's value: in any case (BPF_ANY), only if it is new (BPF_NOEXIST) or only if it is there (BPF_EXIST)."
        )
        {
            AllowsPacketAccess = true,
        },
        new(
            3,
            "map_delete_elem",
            ReturnType.Integer,
            [ArgumentType.ConstMapPointer, ArgumentType.MapKey],
            DeleteElement,
            "kernel/bpf/helpers.c: bpf_map_delete_elem",
            "Removes the key and its value."
        )
        {
            AllowsPacketAccess = true,
        },
        new(
            195,
            "map_lookup_percpu_elem",
            ReturnType.MapValueOrNull,
            [ArgumentType.ConstMapPointer, ArgumentType.MapKey, ArgumentType.Anything],
            LookupPercpuElement,
            "kernel/bpf/helpers.c: bpf_map_lookup_percpu_elem",
            "The address of a CPU's value of the key, or null if the map does not have the key or there is no such CPU."
        )
        {
            AllowsPacketAccess = true,
        },
    ];

    private static ulong LookupElement(BpfRuntime* runtime, ulong map, ulong key, ulong r3, ulong r4, ulong r5) =>
        (ulong)((MapHeader*)map)->LookupElement((MapHeader*)map, runtime, (byte*)key);

    private static ulong UpdateElement(BpfRuntime* runtime, ulong map, ulong key, ulong value, ulong flags, ulong r5) =>
        (ulong)((MapHeader*)map)->UpdateElement((MapHeader*)map, runtime, (byte*)key, (byte*)value, flags);

    private static ulong DeleteElement(BpfRuntime* runtime, ulong map, ulong key, ulong r3, ulong r4, ulong r5) =>
        (ulong)((MapHeader*)map)->DeleteElement((MapHeader*)map, runtime, (byte*)key);

    // The CPU's number is 32 bits wide in the kernel.
    private static ulong LookupPercpuElement(
        BpfRuntime* runtime,
        ulong map,
        ulong key,
        ulong cpu,
        ulong r4,
        ulong r5
    ) => (ulong)PerCpuValues.Find((MapHeader*)map, (byte*)key, (uint)cpu);
}
