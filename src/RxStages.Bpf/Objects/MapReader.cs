using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Numerics;
using RxStages.Bpf.Errors;

namespace RxStages.Bpf.Objects;

/// <summary>
/// Reads maps defined by BTF: variables in the section <c>.maps</c> whose structure type says everything. Numbers are
/// encoded as pointers to arrays of that many elements (<c>__uint</c>), types as pointers to them (<c>__type</c>), and
/// static contents as a last member <c>values</c>, an array of pointers that relocations fill (<c>__array</c>).
/// </summary>
internal sealed class MapReader
{
    private const string SectionName = ".maps";
    private const int PointerSize = 8;
    private const int MaxStaticValues = 1 << 16;
    private const uint PageSize = 4096;

    /// <summary>More attributes than there are kinds of: a structure of 65,535 could stand for thousands of maps.</summary>
    private const int MaxAttributes = 32;

    private readonly ElfFile _elf;
    private readonly Btf _btf;
    private readonly ElfSection _section;
    private readonly SpecialFields _specialFields;
    private readonly List<Definition> _definitions = [];

    private MapReader(ElfFile elf, Btf btf, ElfSection section)
    {
        _elf = elf;
        _btf = btf;
        _section = section;
        _specialFields = new SpecialFields(btf, elf.Source);
    }

    /// <summary>Reads all maps of a file's <c>.maps</c> section, if it has one, in the order of their offsets.</summary>
    /// <param name="elf">The file.</param>
    /// <param name="btf">Its types, data sections laid out; null if it has none.</param>
    /// <param name="maps">Takes the maps.</param>
    /// <exception cref="InputException">A definition is broken or has an unknown attribute.</exception>
    public static void Read(ElfFile elf, Btf? btf, MapTable maps)
    {
        if (elf.Find(SectionName) is not { Data.IsEmpty: false } section)
        {
            return;
        }
        if (btf is null)
        {
            throw elf.Broken(SectionName, "the maps are defined by BTF, but there is no .BTF section: compile with -g");
        }
        var reader = new MapReader(elf, btf, section);
        reader.ReadDefinitions();
        reader.ReadStaticValues();
        foreach (var definition in reader._definitions)
        {
            if (!maps.AddDefinition(section.Index, definition.Offset, definition.Map))
            {
                throw elf.Broken(SectionName, $"two maps at offset {definition.Offset}");
            }
        }
    }

    private void ReadDefinitions()
    {
        var id = _btf.Find(SectionName, BtfKind.DataSection);
        if (id == 0)
        {
            throw _elf.Broken(SectionName, "there is no DATASEC for it in .BTF");
        }
        var dataSection = _btf[id];
        for (var i = 0; i < dataSection.Count; i++)
        {
            var entry = dataSection.SectionVariable(i);
            var variable = _btf[entry.Type];
            if (variable.Kind != BtfKind.Variable || variable.Linkage == BtfLinkage.Extern)
            {
                throw _elf.Broken(SectionName, $"entry {i} is no variable that is defined here");
            }
            var structure = _btf[_btf.SkipModifiers(variable.Target)];
            if (
                structure.Kind != BtfKind.Struct
                || (ulong)entry.Offset + Math.Max(entry.Size, structure.Size) > (ulong)_section.Data.Length
            )
            {
                throw Broken(variable.Name, "its definition is no structure inside of the section");
            }
            var definition = new Definition(entry.Offset);
            definition.Map = ReadStructure(structure, variable.Name, definition);
            _definitions.Add(definition);
        }
        _definitions.Sort((left, right) => left.Offset.CompareTo(right.Offset));
    }

    /// <summary>Reads a map's definition.</summary>
    /// <param name="structure">The definition's type.</param>
    /// <param name="name">The map's name.</param>
    /// <param name="definition">Learns where static values are; null for an inner map, which may have none.</param>
    private MapSpec ReadStructure(BtfType structure, string name, Definition? definition)
    {
        if (structure.Count > MaxAttributes)
        {
            throw Broken(name, $"it has {structure.Count} attributes");
        }
        var map = new MapSpec { Name = name, Type = MapType.Unspecified };
        for (var i = 0; i < structure.Count; i++)
        {
            var member = structure.Member(i);
            map = member.Name switch
            {
                "type" => map with { Type = (MapType)NumberOf(name, member) },
                "max_entries" => map with { MaxEntries = NumberOf(name, member) },
                "map_flags" => map with { Flags = (MapFlags)NumberOf(name, member) },
                "numa_node" => map with { NumaNode = NumberOf(name, member) },
                "key_size" => map with { KeySize = AgreedSize(name, member, map.KeySize, NumberOf(name, member)) },
                "value_size" => map with
                {
                    ValueSize = AgreedSize(name, member, map.ValueSize, NumberOf(name, member)),
                },
                "key" => map with
                {
                    BtfKeyType = TargetOf(name, member),
                    KeySize = AgreedSize(name, member, map.KeySize, SizeOfTarget(name, member)),
                },
                "value" => map with
                {
                    BtfValueType = TargetOf(name, member),
                    ValueSize = AgreedSize(name, member, map.ValueSize, SizeOfTarget(name, member)),
                },
                "pinning" => map with { PinByName = PinningOf(name, member) },
                "map_extra" => map with { Extra = WideNumberOf(name, member) },
                "values" when definition is not null && i == structure.Count - 1 => ReadValues(map, member, definition),
                "values" => throw Broken(name, "'values' may only be the last attribute, and not of an inner map"),
                _ => throw Broken(name, $"attribute '{member.Name}' is not known"),
            };
        }
        if (map.Type == MapType.Unspecified)
        {
            throw Broken(name, "it has no 'type'");
        }
        map = map with
        {
            Flags = FlagsOf(map.Type, map.Flags),
            MaxEntries = map.Type is MapType.Ringbuf or MapType.UserRingbuf
                ? RingbufSize(map.MaxEntries)
                : map.MaxEntries,
        };
        return TakesBtf(map.Type)
            ? map with
            {
                SpecialFields = _specialFields.Find(map.BtfValueType, name),
            }
            : map with
            {
                BtfKeyType = 0,
                BtfValueType = 0,
            };
    }

    /// <summary>
    /// A map's flags: definitions of LPM tries lack <see cref="MapFlags.NoPrealloc"/> now and then, without which no kernel
    /// makes one; so loaders add it.
    /// </summary>
    public static MapFlags FlagsOf(MapType type, MapFlags flags) =>
        type == MapType.LpmTrie ? flags | MapFlags.NoPrealloc : flags;

    /// <summary>False for the types whose keys and values the kernel has no BTF for; libbpf leaves it out for them.</summary>
    private static bool TakesBtf(MapType type) =>
        type
            is not (
                MapType.PerfEventArray
                or MapType.CgroupArray
                or MapType.StackTrace
                or MapType.ArrayOfMaps
                or MapType.HashOfMaps
                or MapType.Devmap
                or MapType.DevmapHash
                or MapType.Cpumap
                or MapType.Xskmap
                or MapType.Sockmap
                or MapType.Sockhash
                or MapType.Queue
                or MapType.Stack
            );

    private MapSpec ReadValues(MapSpec map, BtfMember member, Definition definition)
    {
        var array = _btf[member.Type];
        var pointer = _btf[array.Kind == BtfKind.Array ? _btf.SkipModifiers(array.ElementType) : 0];
        var target = _btf[pointer.Kind == BtfKind.Pointer ? _btf.SkipModifiers(pointer.Target) : 0];
        definition.ValuesOffset = member.BitOffset / 8;
        map = map with { ValueSize = AgreedSize(map.Name, member, map.ValueSize, 4) };
        return (map.Type, target.Kind) switch
        {
            (MapType.ProgArray, BtfKind.FunctionPrototype) => map,
            (MapType.ArrayOfMaps or MapType.HashOfMaps, BtfKind.Struct) => map with
            {
                Inner = ReadStructure(target, map.Name + ".inner", definition: null),
            },
            _ => throw Broken(
                map.Name,
                "'values' must be an array of pointers to functions or maps, as the type has it"
            ),
        };
    }

    private void ReadStaticValues()
    {
        foreach (var relocations in _elf.Sections.Where(s => s.IsRelocations && s.Info == (uint)_section.Index))
        {
            var entries = _elf.ReadRelocations(relocations);
            if (entries.Length > MaxStaticValues)
            {
                throw _elf.Broken(relocations.Name, $"more than {MaxStaticValues} static values");
            }
            foreach (var relocation in entries)
            {
                ReadStaticValue(relocation);
            }
        }
    }

    private void ReadStaticValue(ElfRelocation relocation)
    {
        var definition = DefinitionAround(relocation.Offset);
        if (definition?.ValuesOffset is not { } start || relocation.Offset < definition.Offset + start)
        {
            throw _elf.Broken(SectionName, $"a relocation at {relocation.Offset}, where no map has values");
        }
        var map = definition.Map;
        var distance = relocation.Offset - definition.Offset - start;
        if (
            distance % PointerSize != 0
            || relocation.Type != BpfRelocationType.Absolute64
            || relocation.Offset > (ulong)_section.Data.Length - PointerSize
        )
        {
            throw Broken(map.Name, $"its value at {relocation.Offset} is no pointer ({relocation.Type})");
        }
        if (distance / PointerSize >= map.MaxEntries)
        {
            throw Broken(map.Name, $"it has more static values than its {map.MaxEntries} entries");
        }
        var index = (uint)(distance / PointerSize);
        definition.Map =
            map.Type == MapType.ProgArray
                ? map with
                {
                    InitialPrograms = Set(map.InitialPrograms, ProgramOf(map, index, relocation)),
                }
                : map with
                {
                    InitialMaps = Set(map.InitialMaps, MapOf(map, index, relocation)),
                };

        ImmutableDictionary<uint, string> Set(ImmutableDictionary<uint, string> values, string name) =>
            values.ContainsKey(index)
                ? throw Broken(map.Name, $"its value {index} is set twice")
                : values.Add(index, name);
    }

    private string ProgramOf(MapSpec map, uint index, ElfRelocation relocation)
    {
        var symbol = _elf.Symbols[relocation.Symbol];
        return symbol.IsInSection(_elf.Sections.Length) && symbol.Type == ElfSymbolType.Function
            ? _elf.NameOf(symbol)
            : throw Broken(map.Name, $"its value {index} is no program of this file");
    }

    private string MapOf(MapSpec map, uint index, ElfRelocation relocation)
    {
        var symbol = _elf.Symbols[relocation.Symbol];
        var addend = BinaryPrimitives.ReadUInt64LittleEndian(_section.Data.Span[(int)relocation.Offset..]);
        var offset = unchecked(symbol.Value + addend);
        var inner = symbol.Section == _section.Index ? DefinitionAround(offset) : null;
        return inner?.Offset == offset
            ? inner.Map.Name
            : throw Broken(map.Name, $"its value {index} is no map of this file");
    }

    private Definition? DefinitionAround(ulong offset)
    {
        int low = 0,
            high = _definitions.Count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_definitions[middle].Offset <= offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        return low == 0 ? null : _definitions[low - 1];
    }

    private uint NumberOf(string map, BtfMember member)
    {
        var array = _btf[TargetOf(map, member)];
        return array.Kind == BtfKind.Array
            ? array.ElementCount
            : throw Broken(map, $"'{member.Name}' is no number: it should be a pointer to an array of that length");
    }

    /// <summary>A number of 64 bits may be the only value of an enumeration instead (libbpf's <c>__ulong</c>).</summary>
    private ulong WideNumberOf(string map, BtfMember member)
    {
        var type = _btf[_btf.SkipModifiers(member.Type)];
        return type is { Kind: BtfKind.Enumeration or BtfKind.Enumeration64, Count: 1 }
            ? (ulong)type.EnumerationValue(0).Value
            : NumberOf(map, member);
    }

    /// <summary>
    /// The size of a ring buffer for which a definition asks: the kernel takes only powers of two of pages, so that loaders
    /// round up (libbpf's <c>adjust_ringbuf_sz</c>). What cannot be rounded stays, for the kernel's checks to refuse.
    /// </summary>
    internal static uint RingbufSize(uint written) =>
        written is 0 or > (1u << 31) ? written : Math.Max(BitOperations.RoundUpToPowerOf2(written), PageSize);

    private int TargetOf(string map, BtfMember member)
    {
        var pointer = _btf[_btf.SkipModifiers(member.Type)];
        return pointer.Kind == BtfKind.Pointer
            ? pointer.Target
            : throw Broken(map, $"'{member.Name}' is no pointer, but of kind {pointer.Kind}");
    }

    private uint SizeOfTarget(string map, BtfMember member) =>
        _btf.SizeOf(TargetOf(map, member)) ?? throw Broken(map, $"'{member.Name}' is of a type that has no size");

    private uint AgreedSize(string map, BtfMember member, uint known, uint size) =>
        known == 0 || known == size
            ? size
            : throw Broken(map, $"'{member.Name}' says {size} bytes, another attribute {known}");

    private bool PinningOf(string map, BtfMember member) =>
        NumberOf(map, member) switch
        {
            0 => false,
            1 => true,
            var other => throw Broken(map, $"pinning {other} is not known"),
        };

    private InputException Broken(string map, string reason) => _elf.Broken(SectionName, $"map '{map}': {reason}");

    private sealed class Definition(uint offset)
    {
        public uint Offset { get; } = offset;

        public uint? ValuesOffset { get; set; }

        public MapSpec Map { get; set; } = null!;
    }
}
