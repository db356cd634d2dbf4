using System.Buffers.Binary;
using System.Collections.Immutable;
using RxStages.Bpf.Errors;

namespace RxStages.Bpf.Objects;

/// <summary>
/// An ELF relocatable file for eBPF: sections, symbols and relocations, every offset and size checked. ELF-64, little
/// endian, machine <c>EM_BPF</c> (or none, as very old compilers wrote and libbpf accepts).
/// </summary>
internal sealed class ElfFile
{
    private const int HeaderSize = 64;
    private const int SectionHeaderSize = 64;
    private const int SymbolSize = 24;
    private const int RelocationSize = 16;
    private const int MaxSymbols = 1 << 18;
    private const ushort Relocatable = 1;
    private const ushort MachineBpf = 247;

    private readonly ElfSymbol[] _symbols = [];
    private readonly ILookup<int, ElfSymbol> _symbolsBySection;
    private readonly StringTable? _symbolNames;

    private ElfFile(ReadOnlyMemory<byte> bytes, string source, bool isAny)
    {
        Source = source;
        Sections = ReadSections(bytes, isAny);
        var tables = isAny ? [] : Sections.Where(section => section.Type == ElfSectionType.SymbolTable).ToArray();
        if (tables.Length > 1)
        {
            throw Broken(tables[1].Name, "a second symbol table");
        }
        if (tables is [var table])
        {
            _symbols = ReadSymbols(table);
            _symbolNames = new StringTable(LinkedStrings(table).Data, source, "symbol names");
        }
        _symbolsBySection = _symbols
            .Where(symbol => symbol.IsInSection(Sections.Length))
            .ToLookup(symbol => (int)symbol.Section);
    }

    /// <summary>The file as the user named it.</summary>
    public string Source { get; }

    /// <summary>All sections, by their index; the first is the null section.</summary>
    public ImmutableArray<ElfSection> Sections { get; }

    /// <summary>All symbols, by their index; the first is the null symbol.</summary>
    public ReadOnlySpan<ElfSymbol> Symbols => _symbols;

    /// <summary>Reads a file's bytes.</summary>
    /// <exception cref="InputException">It is not an eBPF object file, or broken.</exception>
    public static ElfFile Read(ReadOnlyMemory<byte> bytes, string source) => new(bytes, source, isAny: false);

    /// <summary>Reads the bytes of a file that may be for another machine or linked, such as a kernel.</summary>
    /// <exception cref="InputException">It is no ELF file, or broken.</exception>
    public static ElfFile ReadAny(ReadOnlyMemory<byte> bytes, string source) => new(bytes, source, isAny: true);

    /// <summary>The error for something broken in this file.</summary>
    public InputException Broken(string? place, string reason) => new(Source, place, reason);

    /// <summary>The symbols that are defined in a section, in the file's order.</summary>
    public IEnumerable<ElfSymbol> SymbolsOf(ElfSection section) => _symbolsBySection[section.Index];

    /// <summary>A symbol's name; for a section symbol the section's.</summary>
    public string NameOf(in ElfSymbol symbol) =>
        symbol.Type == ElfSymbolType.Section && symbol.IsInSection(Sections.Length)
            ? Sections[symbol.Section].Name
            : _symbolNames![symbol.NameOffset];

    /// <summary>The section of that name, or null; the first when there are several.</summary>
    public ElfSection? Find(string name) => Sections.FirstOrDefault(section => section.Name == name);

    /// <summary>The entries of a relocation section, in the file's order.</summary>
    public ElfRelocation[] ReadRelocations(ElfSection section)
    {
        if (section.Type == ElfSectionType.RelocationsWithAddend)
        {
            throw Broken(section.Name, "relocations with addends (RELA) are not supported: eBPF compilers write REL");
        }
        var entries = EntriesOf(section, RelocationSize, "relocations");
        var relocations = new ElfRelocation[entries.Length / RelocationSize];
        for (var i = 0; i < relocations.Length; i++)
        {
            var entry = entries.Slice(i * RelocationSize, RelocationSize);
            var info = BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]);
            var symbol = info >> 32;
            if (symbol >= (ulong)_symbols.Length)
            {
                throw Broken(section.Name, $"relocation {i} names symbol {symbol} of {_symbols.Length}");
            }
            relocations[i] = new ElfRelocation(
                BinaryPrimitives.ReadUInt64LittleEndian(entry),
                (BpfRelocationType)(uint)info,
                (int)symbol
            );
        }
        return relocations;
    }

    private ImmutableArray<ElfSection> ReadSections(ReadOnlyMemory<byte> bytes, bool isAny)
    {
        var header = bytes.Span;
        if (header.Length < HeaderSize || !header.StartsWith("\u007fELF"u8))
        {
            throw Broken(null, "not an ELF file");
        }
        if (header[4] != 2 || header[5] != 1 || header[6] != 1)
        {
            throw Broken("ELF header", "not a 64-bit little-endian ELF file: compile with -target bpf (or bpfel)");
        }
        var type = BinaryPrimitives.ReadUInt16LittleEndian(header[16..]);
        var machine = BinaryPrimitives.ReadUInt16LittleEndian(header[18..]);
        if (!isAny && (type != Relocatable || machine is not (MachineBpf or 0)))
        {
            throw Broken("ELF header", $"not an eBPF object file (type {type}, machine {machine})");
        }
        var tableOffset = BinaryPrimitives.ReadUInt64LittleEndian(header[40..]);
        var entrySize = BinaryPrimitives.ReadUInt16LittleEndian(header[58..]);
        var count = BinaryPrimitives.ReadUInt16LittleEndian(header[60..]);
        var namesIndex = BinaryPrimitives.ReadUInt16LittleEndian(header[62..]);
        if (
            count == 0
            || entrySize != SectionHeaderSize
            || !IsInside(tableOffset, (ulong)count * entrySize, bytes.Length)
        )
        {
            throw Broken("ELF header", "the section header table is missing or outside of the file");
        }
        if (namesIndex >= count)
        {
            throw Broken("ELF header", $"the section names are said to be in section {namesIndex} of {count}");
        }

        var table = header.Slice((int)tableOffset, count * SectionHeaderSize);
        var namesHeader = table.Slice(namesIndex * SectionHeaderSize, SectionHeaderSize);
        var names = new StringTable(ContentOf(bytes, namesHeader, namesIndex), Source, "section names");
        var sections = ImmutableArray.CreateBuilder<ElfSection>(count);
        ulong total = 0;
        for (var i = 0; i < count; i++)
        {
            var entry = table.Slice(i * SectionHeaderSize, SectionHeaderSize);
            var content = ContentOf(bytes, entry, i);
            total += (ulong)content.Length;
            sections.Add(
                new ElfSection(
                    i,
                    names[BinaryPrimitives.ReadUInt32LittleEndian(entry)],
                    (ElfSectionType)BinaryPrimitives.ReadUInt32LittleEndian(entry[4..]),
                    (ElfSectionFlags)BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]),
                    content,
                    BinaryPrimitives.ReadUInt64LittleEndian(entry[32..]),
                    BinaryPrimitives.ReadUInt32LittleEndian(entry[40..]),
                    BinaryPrimitives.ReadUInt32LittleEndian(entry[44..])
                )
            );
        }
        // Sections have their bytes to themselves. A file that says otherwise could make a reader copy the same
        // megabytes thousands of times over.
        if (total > (ulong)bytes.Length)
        {
            throw Broken("section headers", "sections overlap");
        }
        return sections.MoveToImmutable();
    }

    private ReadOnlyMemory<byte> ContentOf(ReadOnlyMemory<byte> bytes, ReadOnlySpan<byte> sectionHeader, int index)
    {
        var type = (ElfSectionType)BinaryPrimitives.ReadUInt32LittleEndian(sectionHeader[4..]);
        if (type is ElfSectionType.Null or ElfSectionType.NoBits)
        {
            return default;
        }
        var offset = BinaryPrimitives.ReadUInt64LittleEndian(sectionHeader[24..]);
        var size = BinaryPrimitives.ReadUInt64LittleEndian(sectionHeader[32..]);
        if (!IsInside(offset, size, bytes.Length))
        {
            throw Broken(
                $"section {index}",
                $"{size} bytes at {offset} are outside of the file of {bytes.Length} bytes"
            );
        }
        return bytes.Slice((int)offset, (int)size);
    }

    private ElfSymbol[] ReadSymbols(ElfSection table)
    {
        var entries = EntriesOf(table, SymbolSize, "symbols");
        if (entries.Length / SymbolSize > MaxSymbols)
        {
            throw Broken(table.Name, $"more than {MaxSymbols} symbols");
        }
        var symbols = new ElfSymbol[entries.Length / SymbolSize];
        for (var i = 0; i < symbols.Length; i++)
        {
            var entry = entries.Slice(i * SymbolSize, SymbolSize);
            symbols[i] = new ElfSymbol(
                BinaryPrimitives.ReadUInt32LittleEndian(entry),
                (ElfSymbolType)(entry[4] & 0xf),
                (ElfBinding)(entry[4] >> 4),
                (ElfVisibility)(entry[5] & 3),
                BinaryPrimitives.ReadUInt16LittleEndian(entry[6..]),
                BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]),
                BinaryPrimitives.ReadUInt64LittleEndian(entry[16..])
            );
        }
        return symbols;
    }

    private ReadOnlySpan<byte> EntriesOf(ElfSection section, int entrySize, string what) =>
        section.Data.Length % entrySize == 0
            ? section.Data.Span
            : throw Broken(section.Name, $"{section.Data.Length} bytes are no whole number of {what}");

    private ElfSection LinkedStrings(ElfSection section) =>
        section.Link < (uint)Sections.Length && Sections[(int)section.Link].Type == ElfSectionType.StringTable
            ? Sections[(int)section.Link]
            : throw Broken(section.Name, $"section {section.Link}, which should hold its names, is no string table");

    private static bool IsInside(ulong offset, ulong size, int length) =>
        offset <= (ulong)length && size <= (ulong)length - offset;
}

/// <summary>A section.</summary>
/// <param name="Index">Its number in the file.</param>
/// <param name="Name">Its name.</param>
/// <param name="Type">What it holds.</param>
/// <param name="Flags">Its attributes.</param>
/// <param name="Data">Its bytes; empty for <see cref="ElfSectionType.NoBits"/>.</param>
/// <param name="Size">Its size in memory, which for <see cref="ElfSectionType.NoBits"/> the file alone vouches for.</param>
/// <param name="Link">Number of a section that belongs to it, by type.</param>
/// <param name="Info">For relocations: the number of the section they are for.</param>
internal sealed record ElfSection(
    int Index,
    string Name,
    ElfSectionType Type,
    ElfSectionFlags Flags,
    ReadOnlyMemory<byte> Data,
    ulong Size,
    uint Link,
    uint Info
)
{
    /// <summary>True for sections of instructions.</summary>
    public bool IsCode => Type == ElfSectionType.ProgramBits && Flags.HasFlag(ElfSectionFlags.Executable);

    /// <summary>True for relocations of either form.</summary>
    public bool IsRelocations => Type is ElfSectionType.Relocations or ElfSectionType.RelocationsWithAddend;

    /// <summary>True when the name is <paramref name="name"/>, or that with a dot and a suffix.</summary>
    public bool IsNamed(string name) =>
        Name.StartsWith(name, StringComparison.Ordinal) && (Name.Length == name.Length || Name[name.Length] == '.');
}

/// <summary>A symbol.</summary>
/// <param name="NameOffset">Where its name is; see <see cref="ElfFile.NameOf"/>.</param>
/// <param name="Type">What it names.</param>
/// <param name="Binding">Who may see it.</param>
/// <param name="Visibility">Whether the binding holds beyond a linked object.</param>
/// <param name="Section">The number of its section; 0 when it is defined elsewhere.</param>
/// <param name="Value">Its offset in that section.</param>
/// <param name="Size">Its size in bytes, 0 if not known.</param>
internal readonly record struct ElfSymbol(
    uint NameOffset,
    ElfSymbolType Type,
    ElfBinding Binding,
    ElfVisibility Visibility,
    ushort Section,
    ulong Value,
    ulong Size
)
{
    /// <summary>True when it is named here and defined elsewhere.</summary>
    public bool IsExtern => Section == 0 && NameOffset != 0;

    /// <summary>True when it is defined in one of the file's sections, not absolute, common or extern.</summary>
    public bool IsInSection(int sections) => Section > 0 && Section < sections;

    /// <summary>True when it is global, and static linking would not have made it local.</summary>
    public bool IsVisible =>
        Binding != ElfBinding.Local && Visibility is not (ElfVisibility.Hidden or ElfVisibility.Internal);
}

/// <summary>A relocation.</summary>
/// <param name="Offset">The byte in its section that it changes.</param>
/// <param name="Type">How.</param>
/// <param name="Symbol">The number of the symbol that it refers to; always valid.</param>
internal readonly record struct ElfRelocation(ulong Offset, BpfRelocationType Type, int Symbol);

/// <summary>Section types (<c>SHT_*</c>).</summary>
internal enum ElfSectionType : uint
{
    Null = 0,
    ProgramBits = 1,
    SymbolTable = 2,
    StringTable = 3,
    RelocationsWithAddend = 4,
    NoBits = 8,
    Relocations = 9,
}

/// <summary>Section flags (<c>SHF_*</c>).</summary>
[Flags]
internal enum ElfSectionFlags : ulong
{
    None = 0,
    Write = 1,
    Alloc = 2,
    Executable = 4,
}

/// <summary>Symbol types (<c>STT_*</c>).</summary>
internal enum ElfSymbolType
{
    NoType = 0,
    Object = 1,
    Function = 2,
    Section = 3,
    File = 4,
}

/// <summary>Symbol bindings (<c>STB_*</c>).</summary>
internal enum ElfBinding
{
    Local = 0,
    Global = 1,
    Weak = 2,
}

/// <summary>Symbol visibilities (<c>STV_*</c>).</summary>
internal enum ElfVisibility
{
    Default = 0,
    Internal = 1,
    Hidden = 2,
    Protected = 3,
}

/// <summary>Relocation types of eBPF (<c>R_BPF_*</c>; kernel documentation, <c>bpf/llvm_reloc.rst</c>).</summary>
internal enum BpfRelocationType : uint
{
    None = 0,

    /// <summary><c>R_BPF_64_64</c>: a wide load of an address.</summary>
    WideLoad = 1,

    /// <summary><c>R_BPF_64_ABS64</c>: an address in data.</summary>
    Absolute64 = 2,

    /// <summary><c>R_BPF_64_ABS32</c>: an address in data, 32 bits.</summary>
    Absolute32 = 3,

    /// <summary><c>R_BPF_64_NODYLD32</c>: offsets inside <c>.BTF</c> and <c>.BTF.ext</c>.</summary>
    NoDynamic32 = 4,

    /// <summary><c>R_BPF_64_32</c>: a call.</summary>
    Call = 10,
}
