using System.Collections.Immutable;
using RxStages.Bpf.Objects;
using RxStages.TestKit;

namespace RxStages.KernelOracle.Tests.Programs;

/// <summary>The objects of <c>Corpus/</c>: every file in its variants.</summary>
internal static class CorpusFiles
{
    private const uint Loopback = 1;

    /// <summary>Their names, as <c>parsers.v3-O2</c>.</summary>
    public static ImmutableArray<string> Names { get; } =
    [
        .. Directory
            .EnumerateFiles(Repository.PathOf("tests", "KernelOracle", "Corpus"), "*.bpf.o")
            .Select(file => Path.GetFileName(file).Replace(".bpf.o", "", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal),
    ];

    // What maps hold before the first packet: what the addresses of the generated packets meet.
    private static readonly ImmutableArray<MapEntry> s_entries =
    [
        new("prefixes4", [.. Word(8), 10, 0, 0, 0], [.. Word(0), .. Word(0)]),
        new("prefixes4", [.. Word(30), 10, 0, 0, 4], [.. Word(1), .. Word(0)]),
        new("prefixes4", [.. Word(24), 192, 0, 2, 0], [.. Word(1), .. Word(0)]),
        new("prefixes6", [.. Word(32), .. Prefix(0x20, 0x01, 0x0d, 0xb8)], [.. Word(0), .. Word(0)]),
        new("prefixes6", [.. Word(48), .. Prefix(0x20, 0x01, 0x0d, 0xb8, 0, 1)], [.. Word(1), .. Word(0)]),
        new("devices", Word(1), Word(Loopback)),
        new("devices", Word(2), Word(Loopback)),
        new("devices", Word(7), Word(Loopback)),
        new("device_hash", Word(0), [.. Word(Loopback), .. Word(0)]),
        new("device_hash", Word(5000), [.. Word(Loopback), .. Word(0)]),
        new("cpus", Word(0), Word(16)),
    ];

    /// <summary>Reads an object.</summary>
    public static ObjectSpec Read(string name) =>
        ObjectReader.Read(Repository.PathOf("tests", "KernelOracle", "Corpus", name + ".bpf.o"));

    /// <summary>The program of an object with what its maps hold.</summary>
    public static Scenario ScenarioOf(ObjectSpec spec, string file, string program) =>
        new(file, program)
        {
            Source = Read,
            Entries = [.. s_entries.Where(entry => spec.Maps.Any(map => map.Name == entry.Map))],
        };

    private static byte[] Word(uint value) => BitConverter.GetBytes(value);

    private static byte[] Prefix(params byte[] start) => [.. start, .. new byte[16 - start.Length]];
}
