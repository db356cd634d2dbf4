using System.Buffers.Binary;
using System.Collections.Immutable;
using RxStages.Bpf.Errors;

namespace RxStages.Bpf.Objects;

/// <summary>
/// Reads maps defined the old way: structures of numbers of 32 bits in a section <c>maps</c> or <c>maps/NAME</c>, one symbol
/// each. They all begin as <c>struct bpf_map_def</c> (type, key size, value size, entries, and mostly flags); what follows
/// is told by BTF, or else by the size: 28 bytes are those of the kernel's samples, 36 <c>struct bpf_elf_map</c> of iproute2.
/// In any other what follows must be zero.
/// </summary>
internal sealed class LegacyMapReader
{
    private const int SizeWithoutFlags = 16;
    private const int SizeWithFlags = 20;
    private const int SizeOfSamples = 28;
    private const int SizeOfIproute = 36;

    private readonly ElfFile _elf;
    private readonly ElfSection _section;
    private readonly Dictionary<string, BtfType> _structures;

    private LegacyMapReader(ElfFile elf, ElfSection section, Dictionary<string, BtfType> structures)
    {
        _elf = elf;
        _section = section;
        _structures = structures;
    }

    /// <summary>True for sections of such maps.</summary>
    public static bool Reads(ElfSection section) =>
        section.Type == ElfSectionType.ProgramBits
        && (section.Name == "maps" || section.Name.StartsWith("maps/", StringComparison.Ordinal));

    /// <summary>Reads all maps of a section.</summary>
    /// <param name="elf">The file.</param>
    /// <param name="btf">Its types, or null.</param>
    /// <param name="section">The section.</param>
    /// <param name="maps">Takes the maps.</param>
    /// <exception cref="InputException">A definition is broken.</exception>
    public static void Read(ElfFile elf, Btf? btf, ElfSection section, MapTable maps)
    {
        var reader = new LegacyMapReader(elf, section, StructuresOf(btf, section.Name));
        var definitions = reader.ReadDefinitions();
        foreach (var definition in definitions)
        {
            maps.AddDefinition(section.Index, definition.Offset, reader.Complete(definition, definitions));
            if (definition.Id != 0)
            {
                maps.AddId(definition.Id, section.Index, definition.Offset);
            }
        }
    }

    /// <summary>The structures that a section's variables are of, by the variables' names.</summary>
    private static Dictionary<string, BtfType> StructuresOf(Btf? btf, string section)
    {
        var structures = new Dictionary<string, BtfType>(StringComparer.Ordinal);
        if (btf?.Find(section, BtfKind.DataSection) is not (> 0 and var id))
        {
            return structures;
        }
        for (var i = 0; i < btf[id].Count; i++)
        {
            var variable = btf[btf[id].SectionVariable(i).Type];
            if (
                variable.Kind == BtfKind.Variable
                && btf[btf.SkipModifiers(variable.Target)] is { Kind: BtfKind.Struct } type
            )
            {
                structures.TryAdd(variable.Name, type);
            }
        }
        return structures;
    }

    private List<Definition> ReadDefinitions()
    {
        var symbols = _elf.SymbolsOf(_section)
            .Where(symbol => symbol.Type is ElfSymbolType.NoType or ElfSymbolType.Object)
            .OrderBy(symbol => symbol.Value)
            .ThenByDescending(symbol => symbol.Type)
            .DistinctBy(symbol => symbol.Value)
            .ToArray();
        var definitions = new List<Definition>(symbols.Length);
        for (var i = 0; i < symbols.Length; i++)
        {
            var name = _elf.NameOf(symbols[i]);
            var end = i + 1 < symbols.Length ? symbols[i + 1].Value : (ulong)_section.Data.Length;
            if (symbols[i].Value >= end || end > (ulong)_section.Data.Length)
            {
                throw Broken(name, $"at {symbols[i].Value} it overlaps the next or the section's end");
            }
            // Between two definitions there may be room for alignment.
            if (symbols[i].Size >= SizeWithoutFlags && symbols[i].Size < end - symbols[i].Value)
            {
                end = symbols[i].Value + symbols[i].Size;
            }
            definitions.Add(
                ReadDefinition(name, symbols[i].Value, _section.Data.Span[(int)symbols[i].Value..(int)end])
            );
        }
        return definitions;
    }

    private Definition ReadDefinition(string name, ulong offset, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < SizeWithoutFlags)
        {
            throw Broken(name, $"its definition has {bytes.Length} bytes");
        }
        var type = (MapType)Word(bytes, 0);
        var flags = bytes.Length < SizeWithFlags ? MapFlags.None : (MapFlags)Word(bytes, 16);
        var definition = new Definition(
            offset,
            new MapSpec
            {
                Name = name,
                Type = type,
                KeySize = Word(bytes, 4),
                ValueSize = Word(bytes, 8),
                MaxEntries = Word(bytes, 12),
                Flags = MapReader.FlagsOf(type, flags),
            }
        );
        if (_structures.TryGetValue(name, out var structure))
        {
            for (var i = 0; i < structure.Count; i++)
            {
                var member = structure.Member(i);
                if (member.BitOffset % 32 == 0 && (member.BitOffset / 8) + 4 <= (uint)bytes.Length)
                {
                    definition = definition.With(member.Name, Word(bytes, (int)(member.BitOffset / 8)));
                }
            }
            return definition;
        }
        string[]? rest = bytes.Length switch
        {
            SizeOfSamples => ["inner_map_idx", "numa_node"],
            SizeOfIproute => ["id", "pinning", "inner_id", "inner_idx"],
            _ => null,
        };
        if (rest is null && bytes.Length > SizeWithFlags && bytes[SizeWithFlags..].ContainsAnyExcept((byte)0))
        {
            throw Broken(name, "it has options that are not known here, and not zero");
        }
        for (var i = 0; i < (rest?.Length ?? 0); i++)
        {
            definition = definition.With(rest![i], Word(bytes, SizeWithFlags + (i * 4)));
        }
        return definition;
    }

    /// <summary>Finds the maps that a map of maps is to hold: by their number, or by the identity that they share.</summary>
    private MapSpec Complete(Definition definition, List<Definition> all)
    {
        var map = definition.Map;
        if (map.Type is not (MapType.ArrayOfMaps or MapType.HashOfMaps))
        {
            return map;
        }
        if (definition.InnerId == 0)
        {
            return definition.InnerMapIndex is { } index && index < (uint)all.Count
                ? map with
                {
                    Inner = all[(int)index].Map,
                }
                : map;
        }
        var held = all.Where(other => other.Id == definition.InnerId && other != definition).ToArray();
        if (held.Length == 0)
        {
            throw Broken(map.Name, $"no map has the identity {definition.InnerId} that it is to hold");
        }
        var initial = ImmutableDictionary.CreateBuilder<uint, string>();
        foreach (var inner in held.Where(inner => inner.InnerIndex != uint.MaxValue))
        {
            initial.TryAdd(inner.InnerIndex, inner.Map.Name);
        }
        return map with { Inner = held[0].Map, InitialMaps = initial.ToImmutable() };
    }

    private static uint Word(ReadOnlySpan<byte> bytes, int offset) =>
        BinaryPrimitives.ReadUInt32LittleEndian(bytes[offset..]);

    private InputException Broken(string map, string reason) => _elf.Broken(_section.Name, $"map '{map}': {reason}");

    private sealed record Definition(ulong Offset, MapSpec Map)
    {
        public uint Id { get; private init; }

        public uint InnerId { get; private init; }

        public uint InnerIndex { get; private init; }

        public uint? InnerMapIndex { get; private init; }

        public Definition With(string field, uint value) =>
            field switch
            {
                "id" => this with { Id = value },
                "inner_id" => this with { InnerId = value },
                "inner_idx" => this with { InnerIndex = value },
                "inner_map_idx" => this with { InnerMapIndex = value },
                // For iproute2: 1 for the object alone, 2 for all. Here objects share what has the same name.
                "pinning" => this with { Map = Map with { PinByName = value != 0 } },
                "numa_node" => this with { Map = Map with { NumaNode = value } },
                _ => this,
            };
    }
}
