using System.Collections.Immutable;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;
using RxStages.KernelOracle.Tests.Maps;

namespace RxStages.KernelOracle.Tests.Programs;

/// <summary>What a map holds before the first packet.</summary>
/// <param name="Map">The map's name.</param>
/// <param name="Key">The key.</param>
/// <param name="Value">The value; for per-CPU maps that of every CPU.</param>
internal sealed record MapEntry(string Map, byte[] Key, byte[] Value);

/// <summary>A program, configured and with contents for its maps, whose results do not depend on time.</summary>
/// <param name="File">The object's name.</param>
/// <param name="Program">The program's name.</param>
/// <param name="Verdicts">All verdicts that it gives on the packets it is run on, in ascending order.</param>
internal sealed record Scenario(string File, string Program, params ImmutableArray<XdpAction> Verdicts)
{
    /// <summary>What the program's configuration is called, where it has several.</summary>
    public string Variant { get; init; } = "";

    /// <summary>Configuration: global variables by name.</summary>
    public ImmutableDictionary<string, uint> Variables { get; init; } = ImmutableDictionary<string, uint>.Empty;

    /// <summary>Map contents.</summary>
    public ImmutableArray<MapEntry> Entries { get; init; } = [];

    /// <summary>Maps whose values depend on time, so that only their keys compare.</summary>
    public ImmutableArray<string> TimedMaps { get; init; } = [];

    /// <summary>Where the object is read from, by its name.</summary>
    public Func<string, ObjectSpec> Source { get; init; } = ProgramFiles.Read;

    /// <summary>The object as configured.</summary>
    public ObjectSpec ReadObject() => GlobalVariables.With(Source(File), Variables);

    /// <summary>Writes the map contents to the maps of one side.</summary>
    public void Fill(Func<string, IMapCommands> map)
    {
        foreach (var entry in Entries)
        {
            var target = map(entry.Map);
            var value = new byte[target.SyscallValueSize];
            for (var at = 0; at < value.Length; at += (entry.Value.Length + 7) & ~7)
            {
                entry.Value.CopyTo(value, at);
            }
            Assert.Equal((entry.Map, 0), (entry.Map, target.Update(entry.Key, value, 0)));
        }
    }

    /// <summary>What the maps of one side hold, in lines. Maps of references to what only one side has are left out.</summary>
    public IEnumerable<string> Dump(IEnumerable<IMapCommands> maps) =>
        maps.Where(map => map.Spec.Type is not (MapType.ProgArray or MapType.Xskmap))
            .SelectMany(map => Dump(map).Select(entry => $"{map.Spec.Name}: {entry}"));

    /// <summary>A record or an event, with how many were lost before it, as a line of the dump.</summary>
    public static string Line(string map, ReadOnlySpan<byte> data, ulong lost = 0) =>
        $"{map}: {(lost == 0 ? "" : $"{lost} lost, ")}{Convert.ToHexStringLower(data)}";

    // Values of maps of maps are numbers of maps, which only one side has; the maps are dumped for themselves.
    private IEnumerable<string> Dump(IMapCommands map) =>
        map.Spec.Type switch
        {
            MapType.Queue or MapType.Stack => MapDump.Drain(map),
            MapType.ArrayOfMaps or MapType.HashOfMaps => MapDump.Entries(map, withValues: false),
            _ => MapDump.Entries(map, !TimedMaps.Contains(map.Spec.Name)),
        };

    public override string ToString() => Variant.Length == 0 ? $"{File}:{Program}" : $"{File}:{Program} {Variant}";
}
