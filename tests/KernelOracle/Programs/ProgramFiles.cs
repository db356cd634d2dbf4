using RxStages.Bpf.Objects;
using RxStages.TestKit;

namespace RxStages.KernelOracle.Tests.Programs;

/// <summary>The objects of <c>programs/</c>.</summary>
internal static class ProgramFiles
{
    /// <summary>Their names, as <c>dos_filter</c>.</summary>
    public static IEnumerable<string> Names { get; } =
    [
        .. Directory
            .EnumerateFiles(Repository.PathOf("programs"), "*.bpf.o")
            .Select(file => Path.GetFileName(file).Replace(".bpf.o", "", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>Reads an object.</summary>
    public static ObjectSpec Read(string name) => ObjectReader.Read(Repository.PathOf("programs", name + ".bpf.o"));
}
