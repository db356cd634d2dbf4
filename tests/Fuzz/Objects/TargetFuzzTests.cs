using RxStages.Bpf.Errors;
using RxStages.Bpf.Network;
using RxStages.Bpf.Objects;
using RxStages.TestKit;

namespace RxStages.Fuzz.Tests.Objects;

/// <summary>Whatever types a kernel is said to have, and whatever an object asks of them: programs that fit, or a clean error.</summary>
public class TargetFuzzTests
{
    private const string Folder = "tests/RxStages.Bpf.Tests/Objects/data";

    [Theory]
    [InlineData("core_target.clang-19.o")]
    [InlineData("core.clang-14.o")]
    public void BrokenTypesOfAKernelGiveProgramsOrACleanError(string target)
    {
        var program = File.ReadAllBytes(Repository.PathOf(Folder, "core.clang-19.o"));
        var types = File.ReadAllBytes(Repository.PathOf(Folder, target));
        var path = Path.GetTempFileName();
        try
        {
            Setting.Hunt(
                400,
                error => error is InputException,
                seed =>
                {
                    File.WriteAllBytes(path, seed % 2 == 0 ? Mutations.MutateInPlace(types, seed) : Raw(types, seed));
                    var kernel = TargetKernel.Create(path, config: null);
                    var spec = ObjectReader.Read(program, "fuzz", kernel);
                    Assert.NotEmpty(spec.Programs);
                    _ = new NetworkEnvironment(1, kernel.Types);
                }
            );
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData("core.clang-14.o")]
    [InlineData("core.clang-19.o")]
    public void BrokenQuestionsAboutTypesGiveProgramsOrACleanError(string name)
    {
        var file = File.ReadAllBytes(Repository.PathOf(Folder, name));
        var kernel = TargetKernel.Of(
            BtfFile.Read(Repository.PathOf(Folder, "core_target.clang-19.o")),
            KernelConfig.Parse("CONFIG_HZ=250")
        );
        Setting.Hunt(
            400,
            error => error is InputException { InputSource: "fuzz" },
            seed =>
                ObjectReader.Read(
                    seed % 2 == 0 ? Mutations.MutateInPlace(file, seed) : Mutations.Mutate(file, seed),
                    "fuzz",
                    kernel
                )
        );
    }

    /// <summary>The types as the kernel shows its own, without an ELF file around them.</summary>
    private static byte[] Raw(byte[] elf, int seed)
    {
        var start = elf.AsSpan().IndexOf((ReadOnlySpan<byte>)[0x9f, 0xeb, 1, 0]);
        return Mutations.Mutate(elf[start..], seed);
    }
}
