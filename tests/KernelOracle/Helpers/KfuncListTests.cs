using RxStages.Bpf.Isa;
using RxStages.Bpf.Kfuncs;
using RxStages.Bpf.Objects;
using RxStages.Linux.KernelBpf;
using RxStages.TestKit;

namespace RxStages.KernelOracle.Tests.Helpers;

/// <summary>Whether the kernel has the kfuncs of the table, for XDP programs, asked of its verifier.</summary>
public class KfuncListTests
{
    // In a module of the kernel, which need not be loaded.
    private static readonly string[] s_ofModules = ["bpf_xdp_flow_lookup"];

    [Fact]
    public void TheKernelLetsXdpProgramsCallTheKfuncsOfTheTable()
    {
        Kernel.Require();
        var types = TargetKernel.Running.Types;
        Assert.SkipWhen(types is null, "the kernel does not tell its types");
        var unknown = KfuncTable
            .All.Select(kfunc => kfunc.Name)
            .Where(name => !s_ofModules.Contains(name))
            .Where(name => types.Find(name, BtfKind.Function) == 0 || !IsAllowed(name))
            .ToList();
        Assert.True(unknown.Count == 0, $"not for XDP programs: {string.Join(", ", unknown)}");
    }

    private static bool IsAllowed(string kfunc)
    {
        var program = TestPrograms.Of([
            new Instruction(Opcode.Call, 0, PseudoCall.KernelFunction, 0, 0),
            .. Assembler.Assemble("r0 = 2\nexit"),
        ]) with
        {
            Kfuncs = [new KfuncReference(kfunc, 0, false)],
        };
        try
        {
            using var loaded = KernelProgram.Load(program, "GPL", []);
            return true;
        }
        catch (KernelBpfException exception)
        {
            // What it says of arguments comes only after it has found the kfunc.
            return exception.VerifierLog is { } log && !log.Contains("is not allowed", StringComparison.Ordinal);
        }
    }
}
