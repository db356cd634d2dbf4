using RxStages.Bpf.Objects;
using RxStages.Linux.KernelBpf;
using RxStages.TestKit;

namespace RxStages.KernelOracle.Tests.Programs;

/// <summary>The kernel takes what the loader's tests are about, as we link it and describe its types.</summary>
public class TestObjectLoadTests
{
    public static TheoryData<string> Names =>
        [
            .. Directory
                .EnumerateFiles(Repository.PathOf("tests", "RxStages.Bpf.Tests", "Objects", "data"), "*.o")
                .Select(file => Path.GetFileNameWithoutExtension(file))
                // Its maps have every attribute there is, also those that do not go together.
                .Where(name => !name.StartsWith("maps.", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal),
        ];

    [Theory]
    [MemberData(nameof(Names))]
    public void TheKernelTakesTheObject(string name)
    {
        Kernel.Require();
        var spec = ObjectReader.Read(Repository.PathOf("tests", "RxStages.Bpf.Tests", "Objects", "data", name + ".o"));
        var programs = spec
            .Programs.Where(program => program.Unsupported is null && !program.Section.StartsWith('?'))
            .Select(program => program.Name)
            .ToArray();
        using var kernel = KernelObject.Load(spec, programs);
        Assert.Null(kernel.TypesRefused);
        // Programs of prog arrays come along.
        Assert.Empty(programs.Except(kernel.Programs.Select(program => program.Spec.Name)));
    }
}
