using RxStages.Bpf.Errors;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Verification;

namespace RxStages.KernelOracle.Tests.Verdicts;

public class VerdictTests
{
    [Fact]
    public void TheCorpusSaysWhatTheKernelSays()
    {
        Kernel.Require();
        using var kernel = new KernelVerdict(VerdictCorpus.Maps, VerdictTypes.Btf, VerdictCorpus.License);
        var differences = VerdictCorpus
            .Cases()
            .Select(c => (Case: c, Program: c.Assemble()))
            .Where(c => kernel.Accepts(c.Program) != c.Case.IsAccepted)
            .Select(c => $"== {c.Case.Name}: {(c.Case.IsAccepted ? kernel.Explain(c.Program) : "accepted")}")
            .ToList();
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    [Fact]
    public void OurVerifierSaysWhatTheCorpusSays()
    {
        var differences = VerdictCorpus
            .Cases()
            .Select(c => (Case: c, Rejection: Judge(c)))
            .Where(c => (c.Rejection is null) != c.Case.IsAccepted)
            .Select(c => $"== {c.Case.Name}: {c.Rejection ?? "accepted"}")
            .ToList();
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    // Why our verifier rejects a case; null when it accepts.
    private static string? Judge(VerdictCase verdictCase)
    {
        try
        {
            Verifier.Verify(
                verdictCase.Assemble(),
                VerdictCorpus.Maps,
                new VerifierOptions { License = VerdictCorpus.License, Kernel = TargetKernel.Running }
            );
            return null;
        }
        catch (InputException rejection)
        {
            return rejection.Message;
        }
    }
}
