using System.Buffers.Binary;
using System.Text.Json;

namespace RxStages.Bpf.Objects;

/// <summary>
/// Writes bytes as JSON by their BTF type, in the form that <c>bpftool map dump --json</c> gives as <c>formatted</c>:
/// numbers as numbers, <c>_Bool</c> as booleans, enumerations by name where the value has one, printable zero-terminated
/// <c>char</c> arrays as strings, other arrays as arrays, structures and unions as objects (anonymous members under an
/// empty name), bit fields and 128-bit integers as strings of hexadecimal digits, pointers as numbers, a DATASEC as one
/// object per variable.
/// </summary>
/// <remarks>
/// bpftool's output is no JSON in two cases, where this one's is: floating-point numbers are numbers (or <c>"NaN"</c>,
/// <c>"Infinity"</c>, <c>"-Infinity"</c>), and a backslash in a string is escaped as one. What has no value (a type
/// without size, bytes that are not there) is <c>null</c>. Types may be hostile, and describe far more than the bytes
/// hold by naming them over and over: what exceeds a multiple of the bytes is left out.
/// </remarks>
public ref struct BtfFormatter
{
    private const int MaxDepth = 64;
    private const int ValuesPerByte = 16;
    private const int ValuesAtLeast = 4096;

    private readonly Utf8JsonWriter _writer;
    private readonly Btf _btf;
    private long _valuesLeft;

    private BtfFormatter(Utf8JsonWriter writer, Btf btf, int length)
    {
        _writer = writer;
        _btf = btf;
        _valuesLeft = ValuesAtLeast + ((long)length * ValuesPerByte);
    }

    /// <summary>Writes one value.</summary>
    /// <param name="writer">Takes it; must be at a place where a value may stand.</param>
    /// <param name="btf">The types.</param>
    /// <param name="type">The id of the value's type.</param>
    /// <param name="data">The value's bytes, little endian.</param>
    public static void Write(Utf8JsonWriter writer, Btf btf, int type, ReadOnlySpan<byte> data) =>
        new BtfFormatter(writer, btf, data.Length).WriteValue(type, data, 0, 0);

    /// <summary>Writes one value, which may stand in others.</summary>
    /// <param name="id">The type.</param>
    /// <param name="data">What is there from the value's first byte on.</param>
    /// <param name="shift">Bits of the first byte that come before the value.</param>
    /// <param name="depth">How many values this one stands in.</param>
    private void WriteValue(int id, ReadOnlySpan<byte> data, int shift, int depth)
    {
        _valuesLeft--;
        var type = _btf[_btf.SkipModifiers(id)];
        if (depth > MaxDepth || _btf.SizeOf(type.Id) is not { } size || size > (uint)data.Length)
        {
            _writer.WriteNullValue();
            return;
        }
        switch (type.Kind)
        {
            case BtfKind.Integer:
                WriteInteger(type, data, shift);
                break;
            case BtfKind.Enumeration or BtfKind.Enumeration64:
                WriteEnumeration(type, data);
                break;
            case BtfKind.Pointer:
                _writer.WriteNumberValue(BinaryPrimitives.ReadUInt64LittleEndian(data));
                break;
            case BtfKind.Float:
                WriteFloat(size, data);
                break;
            case BtfKind.Array:
                WriteArray(type, data[..(int)size], depth);
                break;
            case BtfKind.Struct or BtfKind.Union:
                WriteStructure(type, data[..(int)size], depth);
                break;
            case BtfKind.Variable:
                _writer.WriteStartObject();
                _writer.WritePropertyName(type.Name);
                WriteValue(type.Target, data, 0, depth + 1);
                _writer.WriteEndObject();
                break;
            case BtfKind.DataSection:
                WriteDataSection(type, data, depth);
                break;
            default:
                _writer.WriteNullValue();
                break;
        }
    }

    private readonly void WriteInteger(BtfType type, ReadOnlySpan<byte> data, int shift)
    {
        var bits = type.BitSize;
        if (type.BitOffset + shift != 0 || bits is not (8 or 16 or 32 or 64))
        {
            WriteBits(data, type.BitOffset + shift, bits);
            return;
        }
        switch (type.Encoding)
        {
            case BtfEncoding.Boolean:
                _writer.WriteBooleanValue(data[0] != 0);
                break;
            case BtfEncoding.Character:
                _writer.WriteStringValue([(char)data[0]]);
                break;
            case BtfEncoding.Signed:
                _writer.WriteNumberValue(ReadSigned(data, bits / 8));
                break;
            default:
                _writer.WriteNumberValue(ReadUnsigned(data, bits / 8));
                break;
        }
    }

    private readonly void WriteEnumeration(BtfType type, ReadOnlySpan<byte> data)
    {
        var value = ReadSigned(data, (int)type.Size);
        var unsigned = (long)ReadUnsigned(data, (int)type.Size);
        for (var i = 0; i < type.Count; i++)
        {
            var (name, number) = type.EnumerationValue(i);
            if (number == (type.KindFlag ? value : unsigned))
            {
                _writer.WriteStringValue(name);
                return;
            }
        }
        _writer.WriteNumberValue(value);
    }

    private readonly void WriteFloat(uint size, ReadOnlySpan<byte> data)
    {
        var value = size switch
        {
            2 => (double)BinaryPrimitives.ReadHalfLittleEndian(data),
            4 => BinaryPrimitives.ReadSingleLittleEndian(data),
            8 => BinaryPrimitives.ReadDoubleLittleEndian(data),
            _ => (double?)null,
        };
        switch (value)
        {
            case null:
                _writer.WriteNullValue();
                break;
            case { } number when double.IsFinite(number) && size == 4:
                _writer.WriteNumberValue((float)number);
                break;
            case { } number when double.IsFinite(number):
                _writer.WriteNumberValue(number);
                break;
            case { } number:
                _writer.WriteStringValue(
                    double.IsNaN(number) ? "NaN"
                    : number > 0 ? "Infinity"
                    : "-Infinity"
                );
                break;
        }
    }

    private void WriteArray(BtfType type, ReadOnlySpan<byte> data, int depth)
    {
        if (IsText(type, data, out var length))
        {
            _writer.WriteStringValue(data[..length]);
            return;
        }
        var elementSize = (int)(_btf.SizeOf(type.ElementType) ?? 0);
        _writer.WriteStartArray();
        for (uint i = 0; i < type.ElementCount && _valuesLeft > 0; i++)
        {
            WriteValue(type.ElementType, data[(int)(i * elementSize)..], 0, depth + 1);
        }
        _writer.WriteEndArray();
    }

    /// <summary>True for a <c>char</c> array that holds printable ASCII and a zero byte behind it.</summary>
    private readonly bool IsText(BtfType array, ReadOnlySpan<byte> data, out int length)
    {
        length = data.IndexOf((byte)0);
        var element = ElementBehindQualifiers(array);
        return length >= 0
            && element is { Kind: BtfKind.Integer, Size: 1 }
            && (element.Encoding == BtfEncoding.Character || element.Name == "char")
            && !data[..length].ContainsAnyExceptInRange((byte)0x20, (byte)0x7e);
    }

    /// <summary>An array's element type behind its qualifiers: a typedef of <c>char</c> is no text.</summary>
    private readonly BtfType ElementBehindQualifiers(BtfType array)
    {
        var element = _btf[array.ElementType];
        for (var depth = 0; depth < Btf.MaxResolveDepth; depth++)
        {
            if (element.Kind is not (BtfKind.Volatile or BtfKind.Const or BtfKind.Restrict or BtfKind.TypeTag))
            {
                break;
            }
            element = _btf[element.Target];
        }
        return element;
    }

    private void WriteStructure(BtfType type, ReadOnlySpan<byte> data, int depth)
    {
        _writer.WriteStartObject();
        for (var i = 0; i < type.Count && _valuesLeft > 0; i++)
        {
            var member = type.Member(i);
            _writer.WritePropertyName(member.Name);
            var at = data[(int)Math.Min(member.BitOffset / 8, (uint)data.Length)..];
            if (member.BitSize != 0)
            {
                _valuesLeft--;
                WriteBits(at, (int)(member.BitOffset % 8), member.BitSize);
            }
            else
            {
                WriteValue(member.Type, at, (int)(member.BitOffset % 8), depth + 1);
            }
        }
        _writer.WriteEndObject();
    }

    private void WriteDataSection(BtfType type, ReadOnlySpan<byte> data, int depth)
    {
        _writer.WriteStartObject();
        _writer.WriteStartArray(type.Name);
        for (var i = 0; i < type.Count && _valuesLeft > 0; i++)
        {
            var variable = type.SectionVariable(i);
            WriteValue(variable.Type, data[(int)Math.Min(variable.Offset, (uint)data.Length)..], 0, depth + 1);
        }
        _writer.WriteEndArray();
        _writer.WriteEndObject();
    }

    /// <summary>Writes up to 128 bits that begin at a bit of the first byte as hexadecimal digits.</summary>
    private readonly void WriteBits(ReadOnlySpan<byte> data, int shift, int count)
    {
        var first = shift / 8;
        shift %= 8;
        if (count > 128 || first + ((shift + count + 7) / 8) > data.Length)
        {
            _writer.WriteNullValue();
            return;
        }
        var value = UInt128.Zero;
        for (var bit = count - 1; bit >= 0; bit--)
        {
            value = (value << 1) | (uint)((data[first + ((shift + bit) / 8)] >> ((shift + bit) % 8)) & 1);
        }
        _writer.WriteStringValue($"0x{value:x}");
    }

    private static ulong ReadUnsigned(ReadOnlySpan<byte> data, int size) =>
        size switch
        {
            1 => data[0],
            2 => BinaryPrimitives.ReadUInt16LittleEndian(data),
            4 => BinaryPrimitives.ReadUInt32LittleEndian(data),
            _ => BinaryPrimitives.ReadUInt64LittleEndian(data),
        };

    private static long ReadSigned(ReadOnlySpan<byte> data, int size) =>
        (long)(ReadUnsigned(data, size) << (64 - (8 * size))) >> (64 - (8 * size));
}
