using System.Collections.Immutable;
using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Objects;

/// <summary>
/// A program as the object file defines it, linked: its own instructions first, then those of every function that it
/// calls. Map references are wide loads with source <see cref="PseudoLoad.MapIndex"/> or
/// <see cref="PseudoLoad.MapIndexValue"/> whose immediate is an index into <see cref="ObjectSpec.Maps"/>; calls of
/// functions are relative to the next slot, as are the addresses of functions (<see cref="PseudoLoad.Function"/>).
/// </summary>
public sealed record ProgramSpec
{
    /// <summary>The function's name in C.</summary>
    public required string Name { get; init; }

    /// <summary>The section it stands in, e.g. <c>xdp</c>.</summary>
    public required string Section { get; init; }

    /// <summary>Where such a program attaches.</summary>
    public AttachKind AttachKind { get; init; }

    /// <summary>
    /// Why the program cannot run here although the file is in order: it needs something that is not supported yet.
    /// Null when it can. Its instructions are then not fully linked, and whoever loads it must refuse it with this.
    /// </summary>
    public string? Unsupported { get; init; }

    /// <summary>True when the section asks for multi-buffer support (<c>xdp.frags</c>).</summary>
    public bool IsFrags { get; init; }

    /// <summary>For an extension: the function that it is to replace, empty where the file does not say; else null.</summary>
    public string? Replaces { get; init; }

    /// <summary>When it runs in a chain of programs, and after which verdicts the next one does.</summary>
    public RunConfig RunConfig { get; init; } = RunConfig.Default;

    /// <summary>All instruction slots, the entry function's first.</summary>
    public required ImmutableArray<Instruction> Instructions { get; init; }

    /// <summary>The functions in order of their first slot; the first is the entry.</summary>
    public required ImmutableArray<FunctionSpec> Functions { get; init; }

    /// <summary>
    /// The kfuncs that it names: the immediate of a call with source <see cref="PseudoCall.KernelFunction"/> is an index into
    /// it, and so is that of a wide load with source <see cref="PseudoLoad.BtfId"/>, which loads a kfunc's address.
    /// </summary>
    public ImmutableArray<KfuncReference> Kfuncs { get; init; } = [];

    /// <summary>
    /// CO-RE relocations that the target's types have no answer for: by slot, what is missing. In place of such an
    /// instruction stands a call of a helper that there is not, which must not be reached.
    /// </summary>
    public ImmutableDictionary<int, string> Unresolved { get; init; } = ImmutableDictionary<int, string>.Empty;

    /// <summary>Source lines in order of their first slot; empty without <c>.BTF.ext</c>.</summary>
    public ImmutableArray<SourceLine> Lines { get; init; } = [];

    /// <summary>The source line that a slot was made from, or null where it is not known.</summary>
    public SourceLine? LineOf(int slot)
    {
        var index = LastAtOrBefore(Lines, slot, line => line.Slot);
        // Lines hold up to the next one, but not beyond their function: another may have been compiled without any.
        return index < 0 || Lines[index].Slot < FunctionOf(slot).Start ? null : Lines[index];
    }

    /// <summary>The function that a slot belongs to.</summary>
    public FunctionSpec FunctionOf(int slot) => Functions[Math.Max(0, LastAtOrBefore(Functions, slot, f => f.Start))];

    private static int LastAtOrBefore<T>(ImmutableArray<T> sorted, int slot, Func<T, int> slotOf)
    {
        int low = 0,
            high = sorted.Length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (slotOf(sorted[middle]) <= slot)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        return low - 1;
    }
}

/// <summary>Where an XDP program attaches, by its section's name.</summary>
public enum AttachKind
{
    /// <summary>To a port's receive queue (<c>BPF_XDP</c>).</summary>
    Xdp,

    /// <summary>To an entry of a devmap (<c>BPF_XDP_DEVMAP</c>): it runs when a packet is redirected there.</summary>
    Devmap,

    /// <summary>To an entry of a cpumap (<c>BPF_XDP_CPUMAP</c>): it runs when a packet is redirected there.</summary>
    Cpumap,
}

/// <summary>A function of a linked program.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Start">Its first slot.</param>
/// <param name="Length">How many slots it has.</param>
/// <param name="IsGlobal">
/// True when its BTF says that it has global linkage, so that the kernel verifies it on its own; always false without BTF.
/// </param>
/// <param name="BtfType">The BTF id of its <c>FUNC</c> type, 0 if none.</param>
public sealed record FunctionSpec(string Name, int Start, int Length, bool IsGlobal, int BtfType)
{
    /// <summary>What it takes, when it is global; null for others, and without BTF.</summary>
    public FunctionPrototype? Prototype { get; init; }

    /// <summary>True for what has taken another function's place: as a program of its own, it has a whole stack to itself.</summary>
    public bool IsExtension { get; init; }
}

/// <summary>Where a run of instructions comes from in the source.</summary>
/// <param name="Slot">First slot that the line holds for, up to the next line's.</param>
/// <param name="File">The source file as the compiler knew it.</param>
/// <param name="Line">Line, from 1.</param>
/// <param name="Column">Column, from 1; 0 if not known.</param>
/// <param name="Text">The line's text as compiled in; may be empty.</param>
public sealed record SourceLine(int Slot, string File, int Line, int Column, string Text);
