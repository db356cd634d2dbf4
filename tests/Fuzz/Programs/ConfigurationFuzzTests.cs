using System.Buffers;
using System.Text;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Programs;
using RxStages.TestKit;

namespace RxStages.Fuzz.Tests.Programs;

/// <summary>Whatever users and files say of an object's variables and maps: an object so configured, or a clean error.</summary>
public class ConfigurationFuzzTests
{
    private const string Folder = "tests/RxStages.Bpf.Tests/Objects/data";

    private static readonly string[] s_pieces =
    [
        ".",
        "[",
        "]",
        "[0]",
        "[4294967295]",
        "{",
        "}",
        "{{1,2},{3}}",
        ",",
        "-",
        "0x",
        "0xffffffffffffffffff",
        "18446744073709551616",
        "1e999",
        "'",
        "'a'",
        "\"",
        "\"text\"",
        "true",
        " ",
        "",
        "é",
        "\ud800",
    ];

    private static readonly SearchValues<char> s_starts = SearchValues.Create("0123456789\"[{");

    [Theory]
    [InlineData("globals.clang-19.o")]
    [InlineData("types.clang-19.o")]
    public void ValuesOfVariablesAreTakenOrRefused(string name)
    {
        var file = File.ReadAllBytes(Repository.PathOf(Folder, name));
        var honest = ObjectReader.Read(file, "fuzz", TargetKernel.None);
        string[] names =
        [
            .. honest
                .Maps.Where(map => map is { IsGlobalData: true, BtfValueType: not 0 })
                .SelectMany(map =>
                    Enumerable
                        .Range(0, honest.Btf![map.BtfValueType].Count)
                        .Select(i => honest.Btf[honest.Btf[map.BtfValueType].SectionVariable(i).Type])
                        .SelectMany(variable => Paths(honest.Btf, variable.Name, variable.Target, 3))
                ),
        ];
        Assert.NotEmpty(names);
        Setting.Hunt(
            400,
            error => error is InputException { InputSource: "fuzz" },
            seed =>
            {
                var random = new Random(seed);
                var spec =
                    seed % 2 == 0
                        ? honest
                        : ObjectReader.Read(Mutations.MutateInPlace(file, seed), "fuzz", TargetKernel.None);
                var path = random.Next(8) == 0 ? "" : names[random.Next(names.Length)];
                for (var i = random.Next(3); i > 0; i--)
                {
                    path += s_pieces[random.Next(s_pieces.Length)];
                }
                var value = "";
                for (var i = random.Next(4); i >= 0; i--)
                {
                    value += s_pieces[random.Next(s_pieces.Length)];
                }
                var options = new LoadOptions { Globals = [new(path, value)] };
                LoadedObject.Load(spec, options).Dispose();
            }
        );
    }

    [Theory]
    [InlineData("maps.clang-19.o")]
    [InlineData("static_map.clang-19.o")]
    [InlineData("iproute.clang-14.o")]
    public void FilesOfMapsAreTakenOrRefused(string name)
    {
        var spec = ObjectReader.Read(File.ReadAllBytes(Repository.PathOf(Folder, name)), "fuzz", TargetKernel.None);
        spec = spec with { Maps = [.. spec.Maps.Select(map => map with { PinByName = true })] };
        var folder = Directory.CreateTempSubdirectory("rxstages-fuzz");
        try
        {
            var pinned = new LoadOptions { PinDirectory = folder.FullName };
            using (var honest = LoadedObject.Load(spec, pinned))
            {
                foreach (var map in honest.Maps)
                {
                    var value = new byte[map.SyscallValueSize];
                    map.Update(new byte[map.Spec.KeySize], value, 0);
                }
                honest.SavePinnedMaps();
            }
            var files = folder.GetFiles().ToDictionary(file => file.FullName, file => File.ReadAllBytes(file.FullName));
            Assert.NotEmpty(files);
            Setting.Hunt(
                300,
                error => error is InputException,
                seed =>
                {
                    foreach (var (path, bytes) in files)
                    {
                        File.WriteAllBytes(path, MutateText(bytes, seed));
                    }
                    LoadedObject.Load(spec, pinned).Dispose();
                }
            );
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static IEnumerable<string> Paths(Btf btf, string path, int id, int depth)
    {
        yield return path;
        var type = btf[btf.SkipModifiers(id)];
        if (depth == 0)
        {
            yield break;
        }
        if (type.Kind == BtfKind.Array)
        {
            foreach (var inner in Paths(btf, path + "[0]", type.ElementType, depth - 1))
            {
                yield return inner;
            }
        }
        for (var i = 0; type.Kind is BtfKind.Struct or BtfKind.Union && i < type.Count; i++)
        {
            var member = type.Member(i);
            foreach (var inner in Paths(btf, $"{path}.{member.Name}", member.Type, depth - 1))
            {
                yield return inner;
            }
        }
    }

    // JSON rarely survives flipped bits: tokens are replaced by others.
    private static byte[] MutateText(byte[] bytes, int seed)
    {
        string[] tokens =
        [
            "\"\\ud800\"",
            "[]",
            "{}",
            "null",
            "-1",
            "1e400",
            "4294967296",
            "\"0x\"",
            "\"0xffffffffffffffffffffffff\"",
            "{\"error\":1}",
            "[[[[",
        ];
        var random = new Random(seed);
        if (random.Next(4) == 0)
        {
            return Mutations.Mutate(bytes, seed);
        }
        var text = Encoding.UTF8.GetString(bytes);
        for (var places = random.Next(1, 4); places > 0; places--)
        {
            var start = text.AsSpan(random.Next(text.Length)).IndexOfAny(s_starts);
            if (start >= 0)
            {
                var token = tokens[random.Next(tokens.Length)];
                text = text.Remove(start, Math.Min(text.Length - start, random.Next(4))).Insert(start, token);
            }
        }
        return Encoding.UTF8.GetBytes(text);
    }
}
