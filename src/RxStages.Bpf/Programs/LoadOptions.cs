using System.Collections.Immutable;
using RxStages.Bpf.Compilation;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Verification;

namespace RxStages.Bpf.Programs;

/// <summary>What runs a loaded program.</summary>
public enum ExecutionEngine
{
    /// <summary>Machine code made of the verified program.</summary>
    Compiler,

    /// <summary>The interpreter, which checks every access.</summary>
    Interpreter,
}

/// <summary>How an object is loaded.</summary>
public sealed record LoadOptions
{
    /// <summary>What runs its programs.</summary>
    public ExecutionEngine Engine { get; init; } = ExecutionEngine.Compiler;

    /// <summary>How its maps are made.</summary>
    public MapOptions Maps { get; init; } = MapOptions.Default;

    /// <summary>The verifier's limits; the licence is the object's.</summary>
    public VerifierOptions Verifier { get; init; } = new();

    /// <summary>How its programs are compiled.</summary>
    public CompilerOptions Compiler { get; init; } = CompilerOptions.Default;

    /// <summary>Sizes of maps (<c>max_entries</c>) in place of those that the file gives, by name.</summary>
    public ImmutableDictionary<string, uint> MapSizes { get; init; } = ImmutableDictionary<string, uint>.Empty;

    /// <summary>
    /// Values of global variables, set in order before programs are verified: name with members and elements
    /// (<c>config.ports[2]</c>), and a value as in C. Constants (<c>.rodata</c>) can be set too; that is what this is for.
    /// </summary>
    public ImmutableArray<KeyValuePair<string, string>> Globals { get; init; } = [];

    /// <summary>Global functions of the object's programs that functions of other objects replace (<c>freplace</c>).</summary>
    public ImmutableArray<Replacement> Replacements { get; init; } = [];

    /// <summary>
    /// The directory in which maps that ask to be pinned by name live on; null: they end with the object. See
    /// <see cref="PinnedMaps"/>.
    /// </summary>
    public string? PinDirectory { get; init; }
}
