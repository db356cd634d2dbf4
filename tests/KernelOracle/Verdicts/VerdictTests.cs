using RxStages.Bpf.Errors;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Verification;
using RxStages.TestKit;

namespace RxStages.KernelOracle.Tests.Verdicts;

public class VerdictTests
{
    private static readonly int s_firstSeed = Setting("RXSTAGES_FUZZ_SEED", 1);
    private static readonly int s_seeds = Setting("RXSTAGES_FUZZ_MUTANTS", 300);

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

    /// <summary>Nothing that the kernel refuses is taken; what is refused that the kernel takes is for safety alone, and rare.</summary>
    [Fact]
    public void GeneratedProgramsAreNotAcceptedWhereTheKernelRefusesThem()
    {
        Kernel.Require();
        using var kernel = new KernelVerdict(VerdictCorpus.Maps, VerdictTypes.Btf, VerdictCorpus.License);
        var (accepted, stricter, unsound) = (0, 0, new List<string>());
        for (var seed = s_firstSeed; seed < s_firstSeed + s_seeds; seed++)
        {
            var text = new FeaturePrograms(new Random(seed)).Make(steps: 2 + (seed % 4));
            var generated = new VerdictCase($"seed {seed}", true, text, FeaturePrograms.Kfuncs, []);
            var program = generated.Assemble();
            var isTaken = kernel.Accepts(program);
            var rejection = Judge(program);
            accepted += rejection is null ? 1 : 0;
            stricter += rejection is not null && isTaken ? 1 : 0;
            if (rejection is null && !isTaken)
            {
                unsound.Add($"== seed {seed}: {kernel.Explain(program)}\n{text}");
            }
            else if (rejection is not null && isTaken)
            {
                TestContext.Current.SendDiagnosticMessage($"seed {seed}: only refused here: {rejection}");
            }
        }
        Assert.True(unsound.Count == 0, string.Join('\n', unsound));
        Assert.True(accepted > s_seeds / 10, $"only {accepted} programs were accepted");
        Assert.True(stricter <= s_seeds / 50, $"{stricter} programs were refused that the kernel takes");
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

    // The environment may ask for a longer hunt.
    private static int Setting(string name, int byDefault) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? int.Parse(value) : byDefault;

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
