using RxStages.Bpf.Verification;

namespace RxStages.Bpf.Tests.Verification;

/// <summary>Pruning is an optimisation: it must change neither the verdict nor what is proved.</summary>
public class PruningTests
{
    [Fact]
    public void PruningChangesNoVerdictAndNoFact()
    {
        var (accepted, visited, visitedWithout) = (0, 0L, 0L);
        for (var seed = 1; seed <= 600; seed++)
        {
            var text = new ProgramGenerator(new Random(seed)).Make(steps: 24);
            var (program, problem) = Judge(text, isPruning: true);
            var (expected, expectedProblem) = Judge(text, isPruning: false);
            Assert.True(
                program is null == expected is null,
                $"seed {seed}: '{problem}' with pruning, '{expectedProblem}' without\n{text}"
            );
            if (program is null || expected is null)
            {
                continue;
            }
            accepted++;
            visited += program.Statistics.InstructionsVisited;
            visitedWithout += expected.Statistics.InstructionsVisited;
            Assert.Equal(expected.FactsBySlot.ToArray(), program.FactsBySlot.ToArray());
            foreach (var (with, without) in program.Functions.Zip(expected.Functions))
            {
                Assert.Equal(without.StackDepth, with.StackDepth);
                Assert.True(with.ReadsUninitializedStack || !without.ReadsUninitializedStack, $"seed {seed}\n{text}");
            }
        }
        // The test would say nothing if hardly any program were accepted, or hardly any path pruned.
        Assert.True(accepted > 60, $"only {accepted} programs were accepted");
        Assert.True(
            visited < visitedWithout * 9 / 10,
            $"{visited} instructions with pruning, {visitedWithout} without"
        );
    }

    private static (VerifiedProgram?, string) Judge(string text, bool isPruning)
    {
        try
        {
            return (Programs.Verify(text, new VerifierOptions { IsPruning = isPruning }), "");
        }
        catch (VerificationException error)
        {
            return (null, error.Problem);
        }
    }
}
