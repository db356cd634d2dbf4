using RxStages.Linux.KernelBpf;

namespace RxStages.KernelOracle.Tests.Programs;

public class KernelLoadTests
{
    public static TheoryData<string> Names => [.. ProgramFiles.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void TheKernelTakesEveryProgramAsWeLinkIt(string name)
    {
        Kernel.Require();
        var spec = ProgramFiles.Read(name);
        using var kernel = KernelObject.Load(spec);
        Assert.NotEmpty(spec.Programs.Concat(spec.Extensions));
        Assert.Equal(spec.Programs.Select(p => p.Name), kernel.Programs.Select(p => p.Spec.Name));
    }

    [Fact]
    public void ATestRunGivesVerdictAndPacket()
    {
        Kernel.Require();
        using var kernel = KernelObject.Load(ProgramFiles.Read("vlan"));
        var packet = Enumerable.Range(0, 60).Select(i => (byte)i).ToArray();
        var output = new byte[128];
        var result = kernel.Program("vlan_push").TestRun(packet, output);
        Assert.Equal((3u, 64), (result.ReturnValue, result.Length));
        byte[] tag = [0x81, 0x00, 0, 100];
        Assert.Equal([.. packet[..12], .. tag, .. packet[12..]], output[..64]);
    }

    [Fact]
    public void ARefusalNamesTheReasonOfTheVerifier()
    {
        Kernel.Require();
        var refused = new Verdicts.VerdictCase(
            "reads r0",
            IsAccepted: false,
            "exit",
            Kfuncs: [],
            Functions: []
        ).Assemble();
        var error = Assert.Throws<KernelBpfException>(() => KernelProgram.Load(refused, "GPL", []));
        Assert.Equal(13, error.ErrorNumber);
        Assert.Contains("R0 !read_ok", error.Message, StringComparison.Ordinal);
        Assert.Contains("processed", error.VerifierLog!, StringComparison.Ordinal);
    }
}
