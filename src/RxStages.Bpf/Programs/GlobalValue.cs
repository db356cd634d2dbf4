using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Programs;

/// <summary>
/// A value as users write it, by its BTF type: integers in decimal or hexadecimal, <c>true</c> and <c>false</c>,
/// characters in quotes, enumerations by name or number, text for arrays of characters, <c>{1, 2}</c> for other arrays (what
/// is left out becomes zero).
/// </summary>
internal static class GlobalValue
{
    private const int MaxDepth = 16;

    /// <summary>Writes a value.</summary>
    /// <param name="btf">The types.</param>
    /// <param name="id">The value's type, modifiers skipped.</param>
    /// <param name="bitOffset">For a bit field: bits of the first byte before it.</param>
    /// <param name="bitSize">For a bit field its width, else 0.</param>
    /// <param name="text">The value.</param>
    /// <param name="target">Where it goes.</param>
    /// <returns>Null, or what is wrong.</returns>
    public static string? Write(Btf btf, int id, int bitOffset, int bitSize, string text, Span<byte> target) =>
        Write(btf, id, bitOffset, bitSize, text.Trim(), target, MaxDepth);

    private static string? Write(Btf btf, int id, int bitOffset, int bitSize, string text, Span<byte> target, int depth)
    {
        var type = btf[id];
        switch (type.Kind)
        {
            case BtfKind.Integer:
                return Parse(type, text) is { } number
                    ? WriteInteger(number, type.Encoding, bitOffset, bitSize, target)
                    : $"'{text}' is no number";
            case BtfKind.Enumeration or BtfKind.Enumeration64:
                return WriteEnumeration(type, bitOffset, bitSize, text, target);
            case BtfKind.Float when target.Length is 4 or 8:
                return WriteFloat(text, target);
            case BtfKind.Array when depth > 0:
                return WriteArray(btf, type, text, target, depth);
            case BtfKind.Pointer:
                return "it is a pointer: there is nothing that it could be set to";
            default:
                return "it is a structure: set its members, as in NAME.MEMBER=VALUE";
        }
    }

    private static Int128? Parse(BtfType type, string text)
    {
        if (type.Encoding.HasFlag(BtfEncoding.Boolean) && text is "true" or "false")
        {
            return text == "true" ? 1 : 0;
        }
        if (text is ['\'', var letter, '\''])
        {
            return letter;
        }
        var isNegative = text.StartsWith('-');
        var digits = text.AsSpan(isNegative ? 1 : 0);
        UInt128 value;
        var parsed = digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? UInt128.TryParse(digits[2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture, out value)
            : UInt128.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out value);
        return !parsed || value > ulong.MaxValue ? null
            : isNegative ? -(Int128)value
            : (Int128)value;
    }

    private static string? WriteInteger(
        Int128 value,
        BtfEncoding encoding,
        int bitOffset,
        int bitSize,
        Span<byte> target
    )
    {
        if (target.Length > 8)
        {
            return "numbers of more than 64 bits cannot be set";
        }
        var bits = bitSize > 0 ? bitSize : target.Length * 8;
        var isSigned = encoding.HasFlag(BtfEncoding.Signed);
        var least = isSigned ? -(Int128.One << (bits - 1)) : 0;
        var most =
            encoding.HasFlag(BtfEncoding.Boolean) ? 1
            : isSigned ? (Int128.One << (bits - 1)) - 1
            : (Int128.One << bits) - 1;
        if (value < least || value > most)
        {
            return $"{value} does not fit: it takes {least} to {most}";
        }
        WriteBits(unchecked((ulong)value), bitOffset, bits, target);
        return null;
    }

    private static void WriteBits(ulong value, int bitOffset, int bits, Span<byte> target)
    {
        for (var bit = 0; bit < bits; bit++)
        {
            ref var octet = ref target[(bitOffset + bit) / 8];
            var mask = (byte)(1 << ((bitOffset + bit) % 8));
            octet = (value >> bit & 1) != 0 ? (byte)(octet | mask) : (byte)(octet & ~mask);
        }
    }

    private static string? WriteEnumeration(BtfType type, int bitOffset, int bitSize, string text, Span<byte> target)
    {
        var names = new List<string>(type.Count);
        for (var i = 0; i < type.Count; i++)
        {
            var (name, value) = type.EnumerationValue(i);
            if (name == text)
            {
                WriteBits((ulong)value, bitOffset, bitSize > 0 ? bitSize : target.Length * 8, target);
                return null;
            }
            names.Add(name);
        }
        return Parse(type, text) is { } number
            ? WriteInteger(number, type.KindFlag ? BtfEncoding.Signed : BtfEncoding.None, bitOffset, bitSize, target)
            : $"no value '{text}' of the enumeration{NameSuggestion.Ask(text, names)}: there are {NameSuggestion.List(names)}";
    }

    private static string? WriteFloat(string text, Span<byte> target)
    {
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
        {
            return $"'{text}' is no number";
        }
        if (target.Length == 4)
        {
            BinaryPrimitives.WriteSingleLittleEndian(target, (float)value);
        }
        else
        {
            BinaryPrimitives.WriteDoubleLittleEndian(target, value);
        }
        return null;
    }

    private static string? WriteArray(Btf btf, BtfType array, string text, Span<byte> target, int depth)
    {
        var element = btf[btf.SkipModifiers(array.ElementType)];
        var isText =
            element is { Kind: BtfKind.Integer, Size: 1 }
            && !element.Encoding.HasFlag(BtfEncoding.Boolean)
            && !text.StartsWith('{');
        if (isText)
        {
            var letters = Encoding.UTF8.GetBytes(text is ['"', .., '"'] ? text[1..^1] : text);
            if (letters.Length >= target.Length)
            {
                return $"'{text}' is too long: there is room for {target.Length - 1} bytes and a zero";
            }
            target.Clear();
            letters.CopyTo(target);
            return null;
        }
        if (SplitElements(text) is not { } elements)
        {
            return $"'{text}' is no array: write {{1, 2}}";
        }
        if (elements.Count > array.ElementCount)
        {
            return $"{elements.Count} elements are too many: there are {array.ElementCount}";
        }
        target.Clear();
        var size = array.ElementCount == 0 ? 0 : target.Length / (int)array.ElementCount;
        for (var i = 0; i < elements.Count; i++)
        {
            if (Write(btf, element.Id, 0, 0, elements[i], target.Slice(i * size, size), depth - 1) is { } problem)
            {
                return $"element {i}: {problem}";
            }
        }
        return null;
    }

    /// <summary>The elements of <c>{a, {b, c}}</c>, inner braces whole; null for what is not in braces.</summary>
    private static List<string>? SplitElements(string text)
    {
        if (text is not ['{', .., '}'])
        {
            return null;
        }
        var elements = new List<string>();
        int depth = 0,
            start = 1;
        for (var i = 1; i < text.Length; i++)
        {
            var isEnd = i == text.Length - 1;
            depth += text[i] switch
            {
                '{' => 1,
                '}' when !isEnd => -1,
                _ => 0,
            };
            if (depth < 0 || (isEnd && depth != 0))
            {
                return null;
            }
            if ((text[i] == ',' && depth == 0) || isEnd)
            {
                var element = text[start..i].Trim();
                // A comma may stand behind the last.
                if (element.Length > 0 || !isEnd)
                {
                    elements.Add(element);
                }
                start = i + 1;
            }
        }
        return elements;
    }
}
