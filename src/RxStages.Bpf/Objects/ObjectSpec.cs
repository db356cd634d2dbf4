using System.Collections.Immutable;
using RxStages.Bpf.Errors;

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

    /// <summary>
    /// Programs in sections whose names say nothing of what they are for, as in the first years (<c>prog</c>,
    /// <c>1/0</c>). They run as XDP programs when asked for by name, and where there is but one.
    /// </summary>
    public ImmutableArray<ProgramSpec> UntypedPrograms { get; init; } = [];

    /// <summary>Functions that are to replace a global function of another program (<c>freplace</c>).</summary>
    public ImmutableArray<ProgramSpec> Extensions { get; init; } = [];

    /// <summary>All maps: those defined, then those of global data sections.</summary>
    public required ImmutableArray<MapSpec> Maps { get; init; }

    /// <summary>The object's types, or null if it has no <c>.BTF</c>.</summary>
    public Btf? Btf { get; init; }

    /// <summary>The kernel that the programs were fitted to.</summary>
    public TargetKernel Kernel { get; init; } = TargetKernel.None;

    /// <summary>The names of sections with programs that are not for XDP and were left out, in the file's order.</summary>
    public ImmutableArray<string> OtherSections { get; init; } = [];

    /// <summary>
    /// The program that a user means: by function name, or by section name where only one program stands in that
    /// section; without a name the only one that attaches to a port.
    /// </summary>
    /// <exception cref="InputException">There is none, or several; the message lists them.</exception>
    public ProgramSpec FindProgram(string? name)
    {
        var candidates = name is null
            ? Programs.Where(program => program.AttachKind == AttachKind.Xdp).ToArray()
            : Find(Programs, name);
        if (candidates.Length == 0)
        {
            candidates = name is null ? [.. UntypedPrograms] : Find(UntypedPrograms, name);
        }
        if (candidates is [var found])
        {
            return found;
        }
        var several = NameSuggestion.List([.. candidates.Select(program => program.Name)]);
        throw new InputException(
            Source,
            null,
            (candidates.Length, name) switch
            {
                (0, null) => "no XDP program" + WhatIsThere(),
                (0, _) => $"no program '{name}'"
                    + NameSuggestion.Ask(name, Programs.Select(program => program.Name))
                    + WhatIsThere(),
                (_, null) => $"several XDP programs: choose one as FILE:PROGRAM ({several})",
                _ => $"several programs in section '{name}': choose one by its name ({several})",
            }
        );
    }

    /// <summary>The extension that a user means: by name, or the only one.</summary>
    /// <exception cref="InputException">There is none, or several; the message lists them.</exception>
    public ProgramSpec FindExtension(string? name)
    {
        var candidates = name is null ? [.. Extensions] : Find(Extensions, name);
        return candidates is [var found]
            ? found
            : throw new InputException(
                Source,
                place: null,
                Extensions.IsEmpty
                    ? "no function that replaces another (section freplace/FUNCTION)"
                    : $"{(name is null ? "several extensions" : $"no extension '{name}'")}: there are {NameSuggestion.List([.. Extensions.Select(program => program.Name)])}"
            );
    }

    private static ProgramSpec[] Find(ImmutableArray<ProgramSpec> programs, string name) =>
        programs.Where(program => program.Name == name).ToArray() is { Length: > 0 } named
            ? named
            : [.. programs.Where(program => program.Section == name)];

    private string WhatIsThere()
    {
        var programs = Programs.AddRange(UntypedPrograms);
        if (!programs.IsEmpty)
        {
            return ": there are "
                + NameSuggestion.List([.. programs.Select(program => $"{program.Name} ({program.Section})")]);
        }
        if (!Extensions.IsEmpty)
        {
            return ": its functions replace those of other programs (freplace): "
                + NameSuggestion.List([.. Extensions.Select(program => program.Name)]);
        }
        return OtherSections.IsEmpty
            ? ": there are no programs at all"
            : ": its programs are of other kinds (" + NameSuggestion.List(OtherSections) + ")";
    }
}
