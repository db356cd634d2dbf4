using System.Collections.Immutable;
using RxStages.Bpf.Errors;

namespace RxStages.Bpf.Objects;

/// <summary>
/// Global variables: each of their sections becomes an array map of one entry, as the kernel wants them. Relocations of
/// the data itself (pointers to other variables, to strings) are not applied, nor are they by libbpf: a program could
/// not follow such a pointer, and finds there what the compiler left.
/// </summary>
internal static class GlobalData
{
    /// <summary>Adds the maps of all sections of global variables that are not empty.</summary>
    /// <param name="elf">The file.</param>
    /// <param name="btf">Its types, or null.</param>
    /// <param name="maps">Takes the maps.</param>
    /// <exception cref="InputException">A section is too large for a map.</exception>
    public static void Read(ElfFile elf, Btf? btf, MapTable maps)
    {
        var types = new Dictionary<string, int>();
        for (var id = 1; id < btf?.Count; id++)
        {
            if (btf[id].Kind == BtfKind.DataSection)
            {
                types.TryAdd(btf[id].Name, id);
            }
        }
        var specialFields = btf is null ? null : new SpecialFields(btf, elf.Source);
        foreach (var section in elf.Sections.Where(section => IsGlobalData(section) && section.Size > 0))
        {
            var type = types.GetValueOrDefault(section.Name);
            var map = MakeMap(elf, section, type);
            maps.AddData(
                section.Index,
                specialFields is null ? map : map with { SpecialFields = specialFields.Find(type, section.Name) }
            );
        }
    }

    /// <summary>
    /// Fills in the sizes of the sections and the offsets of their global variables from the object file: compilers leave
    /// them zero in BTF. Static variables have their offsets already.
    /// </summary>
    /// <exception cref="InputException">BTF and symbols do not belong together.</exception>
    public static Btf LayOut(Btf btf, ElfFile elf)
    {
        var sections = new Dictionary<string, ElfSection>();
        foreach (var section in elf.Sections)
        {
            sections.TryAdd(section.Name, section);
        }
        var symbols = new Dictionary<(int Section, string Name), ulong>();
        foreach (var symbol in elf.Symbols)
        {
            if (
                symbol.Binding != ElfBinding.Local
                && symbol.IsInSection(elf.Sections.Length)
                && !elf.Sections[symbol.Section].IsCode
            )
            {
                symbols.TryAdd((symbol.Section, elf.NameOf(symbol)), symbol.Value);
            }
        }
        var layouts = new Dictionary<int, (uint Size, uint[] Offsets)>();
        var listed = new HashSet<int>();
        for (var id = 1; id < btf.Count; id++)
        {
            var type = btf[id];
            if (
                type.Kind == BtfKind.DataSection
                && type.Size == 0
                && sections.TryGetValue(type.Name, out var section)
                && section.Size <= uint.MaxValue
            )
            {
                layouts.Add(id, ((uint)section.Size, OffsetsOf(btf, type, elf, section, symbols, listed)));
            }
        }
        return btf.WithDataSections(layouts);
    }

    private static uint[] OffsetsOf(
        Btf btf,
        BtfType dataSection,
        ElfFile elf,
        ElfSection section,
        Dictionary<(int Section, string Name), ulong> symbols,
        HashSet<int> listed
    )
    {
        var offsets = new uint[dataSection.Count];
        for (var i = 0; i < offsets.Length; i++)
        {
            var entry = dataSection.SectionVariable(i);
            var variable = btf[entry.Type];
            offsets[i] = entry.Offset;
            if (variable.Kind != BtfKind.Variable || !listed.Add(entry.Type))
            {
                throw elf.Broken(
                    ".BTF",
                    $"section '{section.Name}' lists type {entry.Type}, which is no variable or listed twice"
                );
            }
            if (variable.Linkage != BtfLinkage.Global)
            {
                continue;
            }
            if (!symbols.TryGetValue((section.Index, variable.Name), out var value) || value > section.Size)
            {
                throw elf.Broken(".BTF", $"variable '{variable.Name}' is not in section '{section.Name}'");
            }
            offsets[i] = (uint)value;
        }
        return offsets;
    }

    private static bool IsGlobalData(ElfSection section) =>
        section.Type switch
        {
            ElfSectionType.ProgramBits => !section.IsCode && (section.IsNamed(".data") || section.IsNamed(".rodata")),
            ElfSectionType.NoBits => section.IsNamed(".bss"),
            _ => false,
        };

    private static MapSpec MakeMap(ElfFile elf, ElfSection section, int btfType)
    {
        if (section.Size > int.MaxValue)
        {
            throw elf.Broken(
                section.Name,
                $"{section.Size} bytes: an array map's value has {int.MaxValue} at the most"
            );
        }
        var isReadOnly = section.IsNamed(".rodata");
        return new MapSpec
        {
            Name = section.Name,
            Type = MapType.Array,
            KeySize = 4,
            ValueSize = (uint)section.Size,
            MaxEntries = 1,
            Flags = isReadOnly ? MapFlags.ReadOnlyProgram : MapFlags.None,
            InitialValue = ImmutableArray.Create(section.Data.Span),
            IsFrozen = isReadOnly,
            IsGlobalData = true,
            BtfValueType = btfType,
        };
    }
}
