using System.Collections.Immutable;
using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Objects;

/// <summary>
/// A program as the object file defines it, linked: its own instructions first, then those of every function that it
/// calls. Map references are wide loads with source <see cref="PseudoLoad.MapIndex"/> or
/// <see cref="PseudoLoad.MapIndexValue"/> whose immediate is an index into <see cref="ObjectSpec.Maps"/>; calls of
/// functions are relative to the next slot.
/// </summary>
public sealed record ProgramSpec
{
    /// <summary>The function's name in C.</summary>
    public required string Name { get; init; }

    /// <summary>The section it stands in, e.g. <c>xdp</c>.</summary>
    public required string Section { get; init; }

    /// <summary>True when the section asks for multi-buffer support (<c>xdp.frags</c>).</summary>
    public bool IsFrags { get; init; }

    /// <summary>All instruction slots, the entry function's first.</summary>
    public required ImmutableArray<Instruction> Instructions { get; init; }

    /// <summary>The functions in order of their first slot; the first is the entry.</summary>
    public required ImmutableArray<FunctionSpec> Functions { get; init; }

    /// <summary>Source lines in order of their first slot; empty without <c>.BTF.ext</c>.</summary>
    public ImmutableArray<SourceLine> Lines { get; init; } = [];

    /// <summary>The source line that a slot was made from, or null where it is not known.</summary>
    public SourceLine? LineOf(int slot)
    {
        int low = 0,
            high = Lines.Length - 1,
            best = -1;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (Lines[middle].Slot <= slot)
            {
                best = middle;
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }
        return best < 0 ? null : Lines[best];
    }
}

/// <summary>A function of a linked program.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Start">Its first slot.</param>
/// <param name="Length">How many slots it has.</param>
/// <param name="IsGlobal">True when it has global linkage, so that the kernel verifies it on its own.</param>
/// <param name="BtfType">The BTF id of its <c>FUNC</c> type, 0 if none.</param>
public sealed record FunctionSpec(string Name, int Start, int Length, bool IsGlobal, int BtfType);

/// <summary>Where a run of instructions comes from in the source.</summary>
/// <param name="Slot">First slot that the line holds for, up to the next line's.</param>
/// <param name="File">The source file as the compiler knew it.</param>
/// <param name="Line">Line, from 1.</param>
/// <param name="Column">Column, from 1; 0 if not known.</param>
/// <param name="Text">The line's text as compiled in; may be empty.</param>
public sealed record SourceLine(int Slot, string File, int Line, int Column, string Text);
