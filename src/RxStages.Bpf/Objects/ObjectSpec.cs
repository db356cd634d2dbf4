using System.Collections.Immutable;

namespace RxStages.Bpf.Objects;

/// <summary>What an eBPF object file says: immutable, the same on every machine, nothing of it running yet.</summary>
public sealed record ObjectSpec
{
    /// <summary>The file's path as the user gave it, or a name for what came from memory.</summary>
    public required string Source { get; init; }

    /// <summary>The <c>license</c> section's text; empty if there is none.</summary>
    public string License { get; init; } = "";

    /// <summary>The XDP programs, in the order of the file's sections and offsets.</summary>
    public required ImmutableArray<ProgramSpec> Programs { get; init; }

    /// <summary>All maps: those defined, then those of global data sections.</summary>
    public required ImmutableArray<MapSpec> Maps { get; init; }

    /// <summary>The object's types, or null if it has no <c>.BTF</c>.</summary>
    public Btf? Btf { get; init; }
}
