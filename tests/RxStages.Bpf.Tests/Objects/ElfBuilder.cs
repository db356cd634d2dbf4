using System.Buffers.Binary;
using System.Text;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Tests.Objects;

/// <summary>Makes ELF object files that no compiler would write.</summary>
internal sealed class ElfBuilder
{
    private readonly List<Section> _sections = [new("", ElfSectionType.Null, ElfSectionFlags.None, [], 0, 0, 0)];
    private readonly List<byte> _names = [0];
    private readonly List<byte> _symbols = [.. new byte[24]];

    public ElfBuilder()
    {
        Add(".symtab", ElfSectionType.SymbolTable, ElfSectionFlags.None, []);
        Add(".strtab", ElfSectionType.StringTable, ElfSectionFlags.None, []);
    }

    public ushort Machine { get; set; } = 247;

    public int Add(
        string name,
        ElfSectionType type,
        ElfSectionFlags flags,
        byte[] data,
        ulong? size = null,
        int info = 0
    )
    {
        var isSymbols = type == ElfSectionType.SymbolTable;
        _sections.Add(new(name, type, flags, data, size ?? (ulong)data.Length, isSymbols ? 2 : 1, info));
        return _sections.Count - 1;
    }

    public int AddCode(string name, params Instruction[] instructions)
    {
        var bytes = new byte[instructions.Length * Instruction.Size];
        for (var i = 0; i < instructions.Length; i++)
        {
            var slot = bytes.AsSpan(i * Instruction.Size);
            slot[0] = instructions[i].Opcode;
            slot[1] = instructions[i].Registers;
            BinaryPrimitives.WriteInt16LittleEndian(slot[2..], instructions[i].Offset);
            BinaryPrimitives.WriteInt32LittleEndian(slot[4..], instructions[i].Immediate);
        }
        return Add(name, ElfSectionType.ProgramBits, ElfSectionFlags.Alloc | ElfSectionFlags.Executable, bytes);
    }

    public int AddSymbol(
        string name,
        ElfSymbolType type,
        int section,
        int slot,
        int slots,
        ElfBinding binding = ElfBinding.Global
    )
    {
        var symbol = new byte[24];
        BinaryPrimitives.WriteUInt32LittleEndian(symbol, NameOf(name));
        symbol[4] = (byte)(((int)binding << 4) | (int)type);
        BinaryPrimitives.WriteUInt16LittleEndian(symbol.AsSpan(6), (ushort)section);
        BinaryPrimitives.WriteUInt64LittleEndian(symbol.AsSpan(8), (ulong)(slot * Instruction.Size));
        BinaryPrimitives.WriteUInt64LittleEndian(symbol.AsSpan(16), (ulong)(slots * Instruction.Size));
        _symbols.AddRange(symbol);
        return (_symbols.Count / 24) - 1;
    }

    public void AddRelocations(int section, params (int Slot, BpfRelocationType Type, int Symbol)[] relocations)
    {
        var bytes = new byte[relocations.Length * 16];
        for (var i = 0; i < relocations.Length; i++)
        {
            var entry = bytes.AsSpan(i * 16);
            BinaryPrimitives.WriteUInt64LittleEndian(entry, (ulong)(relocations[i].Slot * Instruction.Size));
            BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], (uint)relocations[i].Type);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[12..], (uint)relocations[i].Symbol);
        }
        Add(".rel" + _sections[section].Name, ElfSectionType.Relocations, ElfSectionFlags.None, bytes, info: section);
    }

    public byte[] ToArray()
    {
        _sections[1] = _sections[1] with { Data = [.. _symbols], Size = (ulong)_symbols.Count };
        var names = _sections.ConvertAll(section => NameOf(section.Name));
        _sections[2] = _sections[2] with { Data = [.. _names], Size = (ulong)_names.Count };
        var headers = new byte[_sections.Count * 64];
        var body = new List<byte>();
        for (var i = 0; i < _sections.Count; i++)
        {
            var header = headers.AsSpan(i * 64, 64);
            BinaryPrimitives.WriteUInt32LittleEndian(header, names[i]);
            BinaryPrimitives.WriteUInt32LittleEndian(header[4..], (uint)_sections[i].Type);
            BinaryPrimitives.WriteUInt64LittleEndian(header[8..], (ulong)_sections[i].Flags);
            BinaryPrimitives.WriteUInt64LittleEndian(header[24..], (ulong)(64 + headers.Length + body.Count));
            BinaryPrimitives.WriteUInt64LittleEndian(header[32..], _sections[i].Size);
            BinaryPrimitives.WriteUInt32LittleEndian(header[40..], (uint)_sections[i].Link);
            BinaryPrimitives.WriteUInt32LittleEndian(header[44..], (uint)_sections[i].Info);
            body.AddRange(_sections[i].Data);
        }
        var file = new byte[64];
        "\u007fELF\u0002\u0001\u0001"u8.CopyTo(file);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(16), 1);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(18), Machine);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(40), 64);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(58), 64);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(60), (ushort)_sections.Count);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(62), 2);
        return [.. file, .. headers, .. body];
    }

    public ObjectSpec Read() => ObjectReader.Read(ToArray(), "test");

    private uint NameOf(string name)
    {
        var offset = (uint)_names.Count;
        _names.AddRange(Encoding.UTF8.GetBytes(name));
        _names.Add(0);
        return offset;
    }

    private sealed record Section(
        string Name,
        ElfSectionType Type,
        ElfSectionFlags Flags,
        byte[] Data,
        ulong Size,
        int Link,
        int Info
    );
}
