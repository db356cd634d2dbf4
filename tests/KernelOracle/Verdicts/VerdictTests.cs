namespace RxStages.KernelOracle.Tests.Verdicts;

public class VerdictTests
{
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
