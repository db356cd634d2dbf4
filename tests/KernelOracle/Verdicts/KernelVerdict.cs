using System.Collections.Immutable;
using RxStages.Bpf.Objects;
using RxStages.Linux.KernelBpf;

namespace RxStages.KernelOracle.Tests.Verdicts;

/// <summary>Asks the kernel's verifier about many programs over the same maps.</summary>
internal sealed class KernelVerdict : IDisposable
{
    private readonly KernelObject _maps;
    private readonly string _license;

    public KernelVerdict(ImmutableArray<MapSpec> maps, string license)
    {
        _license = license;
        _maps = KernelObject.Load(
            new ObjectSpec
            {
                Source = "verdicts",
                Programs = [],
                Maps = maps,
            }
        );
    }

    /// <summary>Whether the kernel takes the program.</summary>
    public bool Accepts(ProgramSpec program) => KernelProgram.Judge(program, _license, _maps.Maps) == 0;

    /// <summary>Why the kernel does not take the program; empty when it does.</summary>
    public string Explain(ProgramSpec program)
    {
        try
        {
            using var loaded = KernelProgram.Load(program, _license, _maps.Maps);
            return "";
        }
        catch (KernelBpfException exception)
        {
            return exception.VerifierLog ?? exception.Message;
        }
    }

    public void Dispose() => _maps.Dispose();
}
