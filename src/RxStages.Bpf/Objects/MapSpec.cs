using System.Collections.Immutable;

namespace RxStages.Bpf.Objects;

/// <summary>A map as the object file defines it: what it would be on any machine, before any memory is taken.</summary>
public sealed record MapSpec
{
    /// <summary>The map's name; a global data section's map is named as the section, e.g. <c>.rodata</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The map's type.</summary>
    public required MapType Type { get; init; }

    /// <summary>Bytes in a key.</summary>
    public uint KeySize { get; init; }

    /// <summary>Bytes in a value.</summary>
    public uint ValueSize { get; init; }

    /// <summary>How many entries at the most.</summary>
    public uint MaxEntries { get; init; }

    /// <summary>Creation flags.</summary>
    public MapFlags Flags { get; init; }

    /// <summary>For a map of global data: its value before the first packet. Empty for all others (and for <c>.bss</c>: zeros).</summary>
    public ImmutableArray<byte> InitialValue { get; init; } = [];

    /// <summary>True for <c>.rodata*</c>: frozen after loading, so that the verifier may take its contents as constants.</summary>
    public bool IsFrozen { get; init; }

    /// <summary>For a prog array with static values: index to program name.</summary>
    public ImmutableDictionary<uint, string> InitialPrograms { get; init; } = ImmutableDictionary<uint, string>.Empty;

    /// <summary>For a map of maps with static values: index to map name.</summary>
    public ImmutableDictionary<uint, string> InitialMaps { get; init; } = ImmutableDictionary<uint, string>.Empty;

    /// <summary>The node that its memory should come from, with <see cref="MapFlags.NumaNode"/>.</summary>
    public uint NumaNode { get; init; }

    /// <summary>What the type makes of it (<c>map_extra</c>), e.g. the number of hashes of a bloom filter.</summary>
    public ulong Extra { get; init; }

    /// <summary>The BTF type id of the key, 0 if none.</summary>
    public int BtfKeyType { get; init; }

    /// <summary>The BTF type id of the value, 0 if none. For global data: of the section's <c>DATASEC</c>.</summary>
    public int BtfValueType { get; init; }

    /// <summary>
    /// The fields of its values that belong to the kernel (locks, timers, kernel pointers), by ascending offset: found by
    /// <see cref="BtfValueType"/>, so none where there is no BTF.
    /// </summary>
    public ImmutableArray<SpecialField> SpecialFields { get; init; } = [];

    /// <summary>True for the map of a global data section (<c>.data*</c>, <c>.rodata*</c>, <c>.bss*</c>).</summary>
    public bool IsGlobalData { get; init; }

    /// <summary>True when the definition asks to be pinned by name (<c>LIBBPF_PIN_BY_NAME</c>).</summary>
    public bool PinByName { get; init; }

    /// <summary>For maps of maps: what an inner map looks like; else null.</summary>
    public MapSpec? Inner { get; init; }
}
