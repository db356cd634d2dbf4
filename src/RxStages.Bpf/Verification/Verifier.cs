using System.Collections.Immutable;
using System.Diagnostics;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Verification;

/// <summary>
/// Proves that a program is safe to run unchecked: that it reads nothing it has not, accesses only memory it was given,
/// calls helpers as they want to be called, and ends. What cannot be proved is rejected.
/// <para>
/// It works as the verifier of the Linux kernel does for a privileged loader, by path-sensitive abstract interpretation:
/// every path is followed (<see cref="PathExplorer"/>) with what is known of each register and stack slot
/// (<see cref="VerifierState"/>); numbers are known by their bits and ranges (<see cref="ScalarBounds"/>); a path ends
/// early where its state is part of one that was followed before (<see cref="StatePruning"/>).
/// </para>
/// </summary>
public static class Verifier
{
    /// <summary>Verifies a program.</summary>
    /// <param name="program">The program, linked.</param>
    /// <param name="maps">The maps that its wide loads index.</param>
    /// <param name="options">Limits and circumstances; null for the defaults.</param>
    /// <exception cref="VerificationException">The program could not be proved safe.</exception>
    public static VerifiedProgram Verify(
        ProgramSpec program,
        ImmutableArray<MapSpec> maps,
        VerifierOptions? options = null
    )
    {
        ArgumentNullException.ThrowIfNull(program);
        var started = Stopwatch.GetTimestamp();
        CheckStructure(program, maps);
        var environment = new VerifierEnvironment(program, maps, options ?? new VerifierOptions());
        var order = CheckControlFlow(environment);
        var explorer = new PathExplorer(environment, order);
        explorer.Explore();
        StackDepth.Check(environment);

        var functions = program.Functions.Select(
            (function, index) =>
            {
                ref readonly var findings = ref environment.Functions[index];
                return new VerifiedFunction(
                    function.Start,
                    function.Length,
                    findings.StackDepth,
                    findings.ReadsUninitializedStack
                );
            }
        );
        return new VerifiedProgram(
            program,
            maps,
            environment.Facts,
            environment.Callbacks.ToImmutableDictionary(call => call.Key, call => call.Value.ToImmutableArray()),
            [.. functions],
            environment.DependsOnCpuCount ? environment.Options.CpuCount : int.MaxValue,
            new VerificationStatistics(
                environment.InstructionsVisited,
                explorer.Pruning.TotalStates,
                explorer.Pruning.PeakStates,
                Stopwatch.GetElapsedTime(started)
            )
        );
    }

    private static void CheckStructure(ProgramSpec program, ImmutableArray<MapSpec> maps)
    {
        if (program.Unsupported is { } unsupported)
        {
            throw new VerificationException(program, 0, unsupported);
        }
        int[] starts = [.. program.Functions.Select(function => function.Start)];
        if (
            InstructionValidator.Validate(
                program.Instructions.AsSpan(),
                starts,
                maps.Length,
                kfuncCount: program.Kfuncs.Length
            ) is
            { } error
        )
        {
            throw new VerificationException(program, error.Slot, error.Reason);
        }
        for (var index = 0; index < starts.Length; index++)
        {
            var end = index + 1 < starts.Length ? starts[index + 1] : program.Instructions.Length;
            if (program.Functions[index].Length != end - starts[index])
            {
                throw new VerificationException(
                    program,
                    starts[index],
                    $"function '{program.Functions[index].Name}' does not reach to the next one"
                );
            }
        }
    }

    /// <summary>Rejects dead instructions and recursion; returns the functions, callers before those they call.</summary>
    private static int[] CheckControlFlow(VerifierEnvironment environment)
    {
        if (environment.Flow.FindUnreached() is >= 0 and var dead)
        {
            throw environment.RejectAt(dead, "no path leads to this instruction (unreachable insn)");
        }
        return environment.Flow.OrderByCalls(out var recursive)
            ?? throw environment.RejectAt(recursive, "functions call themselves: recursion is not allowed");
    }
}
