using RxStages.Bpf.Errors;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Verification;

namespace RxStages.KernelOracle.Tests.Verdicts;

public class VerdictTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void TheCorpusSaysWhatTheKernelSays(bool ofStructures)
    {
        Kernel.Require();
        using var kernel = new KernelVerdict(VerdictCorpus.Maps, VerdictTypes.Btf, VerdictCorpus.License);
        var differences = Cases(ofStructures)
            .Select(c => (Case: c, Program: c.Assemble()))
            .Where(c => kernel.Accepts(c.Program) != c.Case.IsAccepted)
            .Select(c => $"== {c.Case.Name}: {(c.Case.IsAccepted ? kernel.Explain(c.Program) : "accepted")}")
            .ToList();
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void OurVerifierSaysWhatTheCorpusSays(bool ofStructures)
    {
        var differences = Cases(ofStructures)
            .Select(c => (Case: c, Rejection: Judge(c.Assemble())))
            .Where(c => (c.Rejection is null) != c.Case.IsAccepted)
            .Select(c => $"== {c.Case.Name}: {c.Rejection ?? "accepted"}")
            .ToList();
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    // The kernel's structures are known only where it tells its types.
    private static IEnumerable<VerdictCase> Cases(bool ofStructures)
    {
        Assert.SkipWhen(
            ofStructures && (TargetKernel.Running.Types?.Find(VerdictCase.Structure, BtfKind.Struct) ?? 0) == 0,
            $"the kernel does not tell its types, or has no struct {VerdictCase.Structure}"
        );
        return VerdictCorpus.Cases().Where(c => c.NeedsKernelTypes == ofStructures);
    }

    // Why our verifier rejects a case; null when it accepts.
    private static string? Judge(ProgramSpec program)
    {
        try
        {
            Verifier.Verify(
                program,
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
