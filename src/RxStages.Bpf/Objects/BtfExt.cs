using System.Buffers.Binary;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Objects;

/// <summary>
/// An object file's <c>.BTF.ext</c> section: per code section which BTF function stands where, which source lines
/// instructions come from, and which instructions have CO-RE relocations. Slots count from the section's start.
/// </summary>
internal sealed class BtfExt
{
    private const ushort Magic = 0xeb9f;

    private readonly Dictionary<string, Dictionary<int, int>> _functionTypes = [];
    private readonly Dictionary<string, SourceLine[]> _lines = [];
    private readonly Dictionary<string, CoreRelocation[]> _coreRelocations = [];

    private BtfExt() { }

    /// <summary>What a file without the section has.</summary>
    public static BtfExt Empty { get; } = new();

    /// <summary>Reads a section.</summary>
    /// <exception cref="InputException">It is broken.</exception>
    public static BtfExt Read(ReadOnlyMemory<byte> section, Btf btf, string source)
    {
        var header = section.Span;
        if (header.Length < 24 || BinaryPrimitives.ReadUInt16LittleEndian(header) != Magic || header[2] != 1)
        {
            throw Broken(source, "no BTF.ext header of version 1");
        }
        var headerLength = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
        if (headerLength < 24 || headerLength > header.Length)
        {
            throw Broken(source, $"a header of {headerLength} bytes in a section of {header.Length}");
        }
        var strings = new StringTable(btf.Strings, source, ".BTF strings");
        var body = section[(int)headerLength..];
        var extension = new BtfExt();
        foreach (var records in ReadPart(body, header[8..], 8, strings, source))
        {
            Add(extension._functionTypes, records, ReadFunctionTypes(records, btf, source), source);
        }
        foreach (var records in ReadPart(body, header[16..], 16, strings, source))
        {
            Add(extension._lines, records, ReadLines(records, strings, source), source);
        }
        if (headerLength >= 32)
        {
            foreach (var records in ReadPart(body, header[24..], 16, strings, source))
            {
                Add(extension._coreRelocations, records, ReadCoreRelocations(records, btf, strings, source), source);
            }
        }
        return extension;
    }

    /// <summary>The BTF id of the function that begins at a slot of a code section, 0 if none.</summary>
    public int FunctionTypeAt(string section, int slot) =>
        _functionTypes.TryGetValue(section, out var types) ? types.GetValueOrDefault(slot) : 0;

    /// <summary>The source lines of a range of slots of a code section, in order.</summary>
    public ReadOnlySpan<SourceLine> LinesOf(string section, int start, int length)
    {
        if (!_lines.TryGetValue(section, out var lines))
        {
            return [];
        }
        var first = FirstAtOrAfter(lines, start, line => line.Slot);
        return lines.AsSpan(first, FirstAtOrAfter(lines, start + length, line => line.Slot) - first);
    }

    /// <summary>The CO-RE relocations of a range of slots of a code section, in order.</summary>
    public ReadOnlySpan<CoreRelocation> CoreRelocationsOf(string section, int start, int length)
    {
        if (!_coreRelocations.TryGetValue(section, out var relocations))
        {
            return [];
        }
        var first = FirstAtOrAfter(relocations, start, relocation => relocation.Slot);
        var end = FirstAtOrAfter(relocations, start + length, relocation => relocation.Slot);
        return relocations.AsSpan(first, end - first);
    }

    private static int FirstAtOrAfter<T>(T[] sorted, int slot, Func<T, int> slotOf)
    {
        int low = 0,
            high = sorted.Length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (slotOf(sorted[middle]) < slot)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        return low;
    }

    private static Dictionary<int, int> ReadFunctionTypes(Records records, Btf btf, string source)
    {
        var types = new Dictionary<int, int>();
        for (var i = 0; i < records.Count; i++)
        {
            var type = BinaryPrimitives.ReadUInt32LittleEndian(records[i][4..]);
            if (type >= (uint)btf.Count || btf[(int)type].Kind != BtfKind.Function)
            {
                throw Broken(
                    source,
                    $"function {i} of section '{records.Section}' is of type {type}, which is no function"
                );
            }
            if (!types.TryAdd(records.SlotOf(i, source), (int)type))
            {
                throw Broken(source, $"section '{records.Section}' has two functions at one instruction");
            }
        }
        return types;
    }

    private static CoreRelocation[] ReadCoreRelocations(Records records, Btf btf, StringTable strings, string source)
    {
        var relocations = new CoreRelocation[records.Count];
        for (var i = 0; i < relocations.Length; i++)
        {
            var record = records[i];
            var type = BinaryPrimitives.ReadUInt32LittleEndian(record[4..]);
            if (type >= (uint)btf.Count)
            {
                throw Broken(source, $"CO-RE relocation {i} of section '{records.Section}' is for type {type}");
            }
            relocations[i] = new CoreRelocation(
                records.SlotOf(i, source),
                (int)type,
                strings[BinaryPrimitives.ReadUInt32LittleEndian(record[8..])],
                (CoreKind)BinaryPrimitives.ReadUInt32LittleEndian(record[12..])
            );
        }
        return [.. relocations.OrderBy(relocation => relocation.Slot)];
    }

    private static SourceLine[] ReadLines(Records records, StringTable strings, string source)
    {
        var lines = new SourceLine[records.Count];
        for (var i = 0; i < lines.Length; i++)
        {
            var record = records[i];
            var position = BinaryPrimitives.ReadUInt32LittleEndian(record[12..]);
            lines[i] = new SourceLine(
                records.SlotOf(i, source),
                strings[BinaryPrimitives.ReadUInt32LittleEndian(record[4..])],
                (int)(position >> 10),
                (int)(position & 0x3ff),
                strings[BinaryPrimitives.ReadUInt32LittleEndian(record[8..])]
            );
            if (i > 0 && lines[i].Slot <= lines[i - 1].Slot)
            {
                throw Broken(source, $"line {i} of section '{records.Section}' is not behind the one before");
            }
        }
        return lines;
    }

    private static void Add<T>(Dictionary<string, T> sections, Records records, T value, string source)
    {
        if (!sections.TryAdd(records.Section, value))
        {
            throw Broken(source, $"section '{records.Section}' comes twice");
        }
    }

    private static List<Records> ReadPart(
        ReadOnlyMemory<byte> body,
        ReadOnlySpan<byte> header,
        int minimumRecordSize,
        StringTable strings,
        string source
    )
    {
        var offset = BinaryPrimitives.ReadUInt32LittleEndian(header);
        var length = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
        if (offset > (uint)body.Length || length > (uint)body.Length - offset)
        {
            throw Broken(source, $"{length} bytes at {offset} are outside of the section");
        }
        var parts = new List<Records>();
        if (length == 0)
        {
            return parts;
        }
        var rest = body.Slice((int)offset, (int)length);
        var recordSize = length >= 4 ? BinaryPrimitives.ReadUInt32LittleEndian(rest.Span) : 0;
        if (recordSize < minimumRecordSize || recordSize % 4 != 0)
        {
            throw Broken(source, $"records of {recordSize} bytes");
        }
        for (rest = rest[4..]; !rest.IsEmpty; )
        {
            if (rest.Length < 8)
            {
                throw Broken(source, "a section's header is cut off");
            }
            var name = BinaryPrimitives.ReadUInt32LittleEndian(rest.Span);
            var count = BinaryPrimitives.ReadUInt32LittleEndian(rest.Span[4..]);
            rest = rest[8..];
            if (count == 0 || (ulong)count * recordSize > (ulong)rest.Length)
            {
                throw Broken(source, $"{count} records of {recordSize} bytes where {rest.Length} bytes are left");
            }
            var size = (int)(count * recordSize);
            parts.Add(new Records(strings[name], rest[..size], (int)recordSize));
            rest = rest[size..];
        }
        return parts;
    }

    private static InputException Broken(string source, string reason) => new(source, ".BTF.ext", reason);

    /// <summary>The records of one code section, each beginning with the offset of an instruction.</summary>
    private readonly record struct Records(string Section, ReadOnlyMemory<byte> Bytes, int RecordSize)
    {
        public int Count => Bytes.Length / RecordSize;

        public ReadOnlySpan<byte> this[int index] => Bytes.Span.Slice(index * RecordSize, RecordSize);

        public int SlotOf(int index, string source)
        {
            var offset = BinaryPrimitives.ReadUInt32LittleEndian(this[index]);
            return offset % Instruction.Size == 0
                ? (int)(offset / Instruction.Size)
                : throw Broken(
                    source,
                    $"record {index} of section '{Section}' is for byte {offset}, within an instruction"
                );
        }
    }
}
