using System.Buffers.Binary;
using RxStages.Bpf.Errors;

namespace RxStages.Bpf.Objects;

/// <summary>
/// Reads maps defined the old way: <c>struct bpf_map_def</c> values (type, key size, value size, entries, flags: 32 bits
/// each) in a section <c>maps</c> or <c>maps/NAME</c>, one symbol each. A longer structure is accepted when what is
/// behind those fields is zero, as libbpf did until it gave up the format.
/// </summary>
internal static class LegacyMapReader
{
    private const int SizeWithoutFlags = 16;
    private const int SizeWithFlags = 20;

    /// <summary>True for sections of such maps.</summary>
    public static bool Reads(ElfSection section) =>
        section.Type == ElfSectionType.ProgramBits
        && (section.Name == "maps" || section.Name.StartsWith("maps/", StringComparison.Ordinal));

    /// <summary>Reads all maps of a section.</summary>
    /// <exception cref="InputException">A definition is broken.</exception>
    public static void Read(ElfFile elf, ElfSection section, MapTable maps)
    {
        var symbols = elf.SymbolsOf(section)
            .Where(symbol => symbol.Type is ElfSymbolType.NoType or ElfSymbolType.Object)
            .OrderBy(symbol => symbol.Value)
            .ToArray();
        for (var i = 0; i < symbols.Length; i++)
        {
            var name = elf.NameOf(symbols[i]);
            var end = i + 1 < symbols.Length ? symbols[i + 1].Value : (ulong)section.Data.Length;
            if (symbols[i].Value >= end || end > (ulong)section.Data.Length)
            {
                throw elf.Broken(
                    section.Name,
                    $"map '{name}' at {symbols[i].Value} overlaps the next or the section's end"
                );
            }
            var definition = section.Data.Span[(int)symbols[i].Value..(int)end];
            maps.AddDefinition(section.Index, symbols[i].Value, ReadDefinition(elf, section, name, definition));
        }
    }

    private static MapSpec ReadDefinition(ElfFile elf, ElfSection section, string name, ReadOnlySpan<byte> definition)
    {
        if (definition.Length < SizeWithoutFlags)
        {
            throw elf.Broken(section.Name, $"map '{name}' has a definition of {definition.Length} bytes");
        }
        if (definition.Length > SizeWithFlags && definition[SizeWithFlags..].ContainsAnyExcept((byte)0))
        {
            throw elf.Broken(section.Name, $"map '{name}' has options that are not known here, and not zero");
        }
        return new MapSpec
        {
            Name = name,
            Type = (MapType)BinaryPrimitives.ReadUInt32LittleEndian(definition),
            KeySize = BinaryPrimitives.ReadUInt32LittleEndian(definition[4..]),
            ValueSize = BinaryPrimitives.ReadUInt32LittleEndian(definition[8..]),
            MaxEntries = BinaryPrimitives.ReadUInt32LittleEndian(definition[12..]),
            Flags =
                definition.Length < SizeWithFlags
                    ? MapFlags.None
                    : (MapFlags)BinaryPrimitives.ReadUInt32LittleEndian(definition[16..]),
        };
    }
}
