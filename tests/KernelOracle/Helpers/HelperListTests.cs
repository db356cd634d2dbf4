using RxStages.Bpf.Helpers;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;
using RxStages.Linux.KernelBpf;
using RxStages.TestKit;

namespace RxStages.KernelOracle.Tests.Helpers;

/// <summary>Which helpers there are for XDP programs, asked of the kernel's verifier.</summary>
public class HelperListTests
{
    [Fact]
    public void TheHelpersThatTheKernelLetsXdpProgramsCallAreThereOrRefused()
    {
        Kernel.Require();
        var known = HelperTable
            .All.Select(helper => helper.Id)
            .Concat(RefusedHelper.All.Select(helper => helper.Id))
            .Order();
        Assert.Equal(Enumerable.Range(0, 256).Where(IsAllowed), known);
    }

    private static bool IsAllowed(int id)
    {
        var program = TestPrograms.Assemble($"call {id}\nr0 = 2\nexit");
        try
        {
            using var loaded = KernelProgram.Load(program, "GPL", []);
            return true;
        }
        catch (KernelBpfException exception)
        {
            // What it says of arguments comes only after it has found the helper.
            return exception.VerifierLog is { } log
                && !log.Contains("cannot use helper", StringComparison.Ordinal)
                && !log.Contains("invalid func", StringComparison.Ordinal)
                && !log.Contains("might sleep", StringComparison.Ordinal);
        }
    }
}
