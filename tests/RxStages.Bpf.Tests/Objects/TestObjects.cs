using RxStages.Bpf.Objects;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Objects;

/// <summary>The committed objects that the sources in <c>data</c> were compiled to.</summary>
internal static class TestObjects
{
    /// <summary>The names of one source's objects, one for each compiler.</summary>
    public static TheoryData<string> CompiledFrom(string source) => [$"{source}.clang-14", $"{source}.clang-19"];

    public static string PathOf(string name) =>
        Repository.PathOf("tests", "RxStages.Bpf.Tests", "Objects", "data", name + ".o");

    public static byte[] Bytes(string name) => File.ReadAllBytes(PathOf(name));

    public static ObjectSpec Read(string name) => ObjectReader.Read(Bytes(name), name);
}
