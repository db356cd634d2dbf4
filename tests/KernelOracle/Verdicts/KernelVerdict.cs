using System.Collections.Immutable;
using RxStages.Bpf.Objects;
using RxStages.Linux.KernelBpf;

namespace RxStages.KernelOracle.Tests.Verdicts;

/// <summary>Asks the kernel's verifier about many programs over the same maps and types.</summary>
internal sealed class KernelVerdict : IDisposable
{
    private readonly KernelObject _object;

    public KernelVerdict(ImmutableArray<MapSpec> maps, Btf types, string license)
    {
        _object = KernelObject.Load(
            new ObjectSpec
            {
                Source = "verdicts",
                Programs = [],
                Maps = maps,
                Btf = types,
                License = license,
            }
        );
        Assert.Null(_object.TypesRefused);
    }

    /// <summary>Whether the kernel takes the program.</summary>
    public bool Accepts(ProgramSpec program) => _object.Judge(program) == 0;

    /// <summary>Why the kernel does not take the program; empty when it does.</summary>
    public string Explain(ProgramSpec program)
    {
        try
        {
            using var loaded = _object.LoadProgram(program);
            return "";
        }
        catch (KernelBpfException exception)
        {
            return exception.VerifierLog ?? exception.Message;
        }
    }

    public void Dispose() => _object.Dispose();
}
