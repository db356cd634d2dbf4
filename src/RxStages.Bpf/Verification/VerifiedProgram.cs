using System.Collections.Immutable;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Verification;

/// <summary>A program that the verifier accepted, with what it proved. Only the verifier makes one, and only this compiles.</summary>
public sealed class VerifiedProgram
{
    internal VerifiedProgram(
        ProgramSpec spec,
        ImmutableArray<MapSpec> maps,
        InstructionFacts[] facts,
        ImmutableDictionary<int, ImmutableArray<int>> callbacks,
        ImmutableArray<VerifiedFunction> functions,
        int cpuCount,
        VerificationStatistics statistics
    )
    {
        Spec = spec;
        Maps = maps;
        Facts = facts;
        Callbacks = callbacks;
        Functions = functions;
        CpuCount = cpuCount;
        Statistics = statistics;
    }

    /// <summary>The program.</summary>
    public ProgramSpec Spec { get; }

    /// <summary>The maps that its wide loads index.</summary>
    public ImmutableArray<MapSpec> Maps { get; }

    /// <summary>Per slot, what was proved.</summary>
    public ReadOnlySpan<InstructionFacts> FactsBySlot => Facts;

    /// <summary>By slot of a call: the functions that it calls back on some path, as indices into <see cref="Functions"/>.</summary>
    public ImmutableDictionary<int, ImmutableArray<int>> Callbacks { get; }

    /// <summary>The functions, the entry first, in the order of <see cref="ProgramSpec.Functions"/>.</summary>
    public ImmutableArray<VerifiedFunction> Functions { get; }

    /// <summary>On how many CPUs it may run, where what was proved depends on their number; else the greatest number there is.</summary>
    public int CpuCount { get; }

    /// <summary>What verifying cost.</summary>
    public VerificationStatistics Statistics { get; }

    internal InstructionFacts[] Facts { get; }
}

/// <summary>What the verifier knows of a function.</summary>
/// <param name="Start">Its first slot.</param>
/// <param name="Length">How many slots it has.</param>
/// <param name="StackDepth">Bytes of stack it uses below r10, 0 to 512.</param>
/// <param name="ReadsUninitializedStack">True when some path reads stack bytes it has not written: the stack must then be zero at entry.</param>
public sealed record VerifiedFunction(int Start, int Length, int StackDepth, bool ReadsUninitializedStack);

/// <summary>What verifying cost.</summary>
/// <param name="InstructionsVisited">Instructions looked at, over all paths (the kernel's <c>processed N insns</c>).</param>
/// <param name="TotalStates">States kept for pruning.</param>
/// <param name="PeakStates">Most states held at once.</param>
/// <param name="Time">Time taken.</param>
public sealed record VerificationStatistics(long InstructionsVisited, int TotalStates, int PeakStates, TimeSpan Time);
