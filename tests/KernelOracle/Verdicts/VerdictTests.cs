using RxStages.Bpf.Objects;
using RxStages.Bpf.Verification;

namespace RxStages.KernelOracle.Tests.Verdicts;

public class VerdictTests
{
    [Fact]
    public void TheVerifierSaysWhatTheCorpusSays()
    {
        var options = new VerifierOptions { License = VerdictCorpus.License };
        var differences = VerdictCorpus
            .Cases()
            .Select(c => (Case: c, Reason: ReasonAgainst(c.Assemble(), options)))
            .Where(c => c.Reason is null != c.Case.IsAccepted)
            .Select(c => $"== {c.Case.Name}: {c.Reason ?? "accepted"}")
            .ToList();
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    private static string? ReasonAgainst(ProgramSpec program, VerifierOptions options)
    {
        try
        {
            Verifier.Verify(program, VerdictCorpus.Maps, options);
            return null;
        }
        catch (VerificationException exception)
        {
            return exception.Message;
        }
    }

    [Fact]
    public void TheCorpusSaysWhatTheKernelSays()
    {
        Kernel.Require();
        using var kernel = new KernelVerdict(VerdictCorpus.Maps, VerdictCorpus.License);
        var differences = VerdictCorpus
            .Cases()
            .Select(c => (Case: c, Program: c.Assemble()))
            .Where(c => kernel.Accepts(c.Program) != c.Case.IsAccepted)
            .Select(c => $"== {c.Case.Name}: {(c.Case.IsAccepted ? kernel.Explain(c.Program) : "accepted")}")
            .ToList();
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }
}
