using RxStages.Bpf.Objects;
using RxStages.Bpf.Programs;
using RxStages.Linux.KernelBpf;
using RxStages.TestKit;

namespace RxStages.KernelOracle.Tests.Programs;

/// <summary>Functions are replaced as in the kernel, and refused as there.</summary>
public class ReplacementTests
{
    [Theory]
    [InlineData("clang-14")]
    [InlineData("clang-19")]
    public void AnExtensionTakesAFunctionsPlace(string compiler)
    {
        Kernel.Require();
        using var kernel = KernelObject.Load(Read("replaceable." + compiler), ["program"]);
        using var extension = KernelObject.Load(Read("extension." + compiler), []);
        var program = kernel.Program("program");
        var packet = new byte[64];
        Assert.Equal(2u, program.TestRun(packet, packet).ReturnValue);
        SkipIfForbidden(
            Record.Exception(() => extension.Replace(extension.Spec.FindExtension("always_drop"), program, "decide"))
        );
        Assert.Equal(1u, program.TestRun(packet, packet).ReturnValue);
        var seen = new byte[8];
        Assert.Equal(0, extension.Map("seen").Lookup(new byte[4], seen));
        Assert.Equal(64ul, BitConverter.ToUInt64(seen));
    }

    [Theory]
    [InlineData("always_drop", "decide", true)]
    [InlineData("always_drop", "other", false)]
    [InlineData("always_drop", "hidden", false)]
    [InlineData("wrong", "other", false)]
    [InlineData("wrong", "decide", false)]
    [InlineData("wrong", "program", true)]
    public void SignaturesMustAgreeAsTheKernelWantsIt(string extensionName, string function, bool fits)
    {
        Kernel.Require();
        using var kernel = KernelObject.Load(Read("replaceable.clang-19"), ["program"]);
        using var extension = KernelObject.Load(Read("extension.clang-19"), []);
        var refused = Record.Exception(() =>
            extension.Replace(extension.Spec.FindExtension(extensionName), kernel.Program("program"), function)
        );
        SkipIfForbidden(refused);
        Assert.Equal(fits, refused is null);

        using var ours = LoadedObject.Load(Read("extension.clang-19"));
        using var loaded = LoadedObject.Load(
            Read("replaceable.clang-19"),
            new LoadOptions { Replacements = [new Replacement(ours, extensionName, function)] }
        );
        var ourRefusal = Record.Exception(() => loaded.GetProgram("program"));
        Assert.Equal(fits, ourRefusal is null);
    }

    // A security module may forbid programs of this type alone.
    private static void SkipIfForbidden(Exception? refused)
    {
        Assert.SkipWhen(
            refused is KernelBpfException { IsUnavailable: true },
            $"no extensions here: {refused?.Message}"
        );
    }

    private static ObjectSpec Read(string name) =>
        ObjectReader.Read(Repository.PathOf("tests", "RxStages.Bpf.Tests", "Objects", "data", name + ".o"));
}
