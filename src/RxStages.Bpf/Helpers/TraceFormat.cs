using System.Globalization;
using System.Net;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>
/// The format strings of <c>bpf_trace_printk</c>, <c>bpf_snprintf</c> and their kin: what they may hold is the kernel's <c>bpf_bprintf_prepare</c>, how it is
/// printed its <c>vsnprintf</c>.
/// </summary>
internal unsafe ref struct TraceFormat
{
    /// <summary>Bytes in the kernel's line buffer, the ending zero among them (<c>MAX_BPRINTF_BUF</c>).</summary>
    internal const int MaxLine = 1024;

    // The kernel copies the values of one line to a buffer of this size first (MAX_BPRINTF_BIN_ARGS).
    private const int MaxArgumentBytes = 512;

    // FIELD_WIDTH_MAX of lib/vsprintf.c.
    private const int MaxFieldWidth = (1 << 23) - 1;

    private readonly Span<byte> _line;
    private readonly ReadOnlySpan<byte> _format;
    private readonly BpfRuntime* _runtime;
    private int _at;
    private int _written;
    private int _argumentBytes;
    private bool _left;
    private bool _plus;
    private bool _space;
    private bool _zero;
    private int _width;

    private TraceFormat(Span<byte> line, ReadOnlySpan<byte> format, BpfRuntime* runtime)
    {
        _line = line;
        _format = format;
        _runtime = runtime;
    }

    /// <summary>Prints values by a format, without a zero at the end.</summary>
    /// <param name="line">Gets the text, less its last byte, which is for that zero.</param>
    /// <param name="format">The format, without the zero at its end.</param>
    /// <param name="values">The values.</param>
    /// <param name="runtime">Knows what memory strings may be read from.</param>
    /// <returns>The length of the whole text, which may exceed what the line holds, or a negated error number.</returns>
    internal static int Print(
        Span<byte> line,
        ReadOnlySpan<byte> format,
        ReadOnlySpan<ulong> values,
        BpfRuntime* runtime
    ) => new TraceFormat(line, format, runtime).Run(values);

    /// <summary>True when a format is one for so many values, whatever they are.</summary>
    internal static bool IsValid(ReadOnlySpan<byte> format, ulong count)
    {
        var values = new ulong[(int)Math.Min(count, (ulong)format.Count((byte)'%'))];
        BpfRuntime runtime = default;
        return Print([], format, values, &runtime) != -Errno.EINVAL;
    }

    private int Run(ReadOnlySpan<ulong> values)
    {
        var used = 0;
        for (; _at < _format.Length; _at++)
        {
            var letter = _format[_at];
            if (letter is not ((>= 0x20 and < 0x7f) or (>= 0x09 and <= 0x0d)))
            {
                return -Errno.EINVAL;
            }
            if (letter != '%')
            {
                Write(letter);
            }
            else if (Peek(1) == '%')
            {
                Write(letter);
                _at++;
            }
            else if (used >= values.Length)
            {
                return -Errno.EINVAL;
            }
            else
            {
                _at++;
                ReadFlagsAndWidth();
                var isPointer = Peek(0) == 'p';
                var error = WriteValue(values[used++]);
                if (error != 0)
                {
                    return error;
                }
                // Letters and digits that follow a pointer count as part of its conversion.
                while (isPointer && char.IsAsciiLetterOrDigit((char)Peek(1)))
                {
                    _at++;
                }
            }
        }
        return _written;
    }

    private void ReadFlagsAndWidth()
    {
        (_left, _plus, _space, _zero, _width) = (false, false, false, false, 0);
        for (; Peek(0) is (byte)'0' or (byte)'+' or (byte)'-' or (byte)' '; _at++)
        {
            _left |= _format[_at] == '-';
            _plus |= _format[_at] == '+';
            _space |= _format[_at] == ' ';
            _zero |= _format[_at] == '0';
        }
        for (; Peek(0) is >= (byte)'0' and <= (byte)'9'; _at++)
        {
            _width = Math.Min((_width * 10) + (_format[_at] - '0'), MaxFieldWidth);
        }
    }

    // Leaves the position on the conversion's last letter.
    private int WriteValue(ulong value)
    {
        switch (Peek(0))
        {
            case (byte)'p':
                return WritePointer(value);
            case (byte)'s':
                return WriteString(value, padded: true);
            case (byte)'c':
                if (!TakeArgumentBytes(1, aligned: false))
                {
                    return -Errno.ENOSPC;
                }
                WritePadded([(byte)value]);
                return 0;
            default:
                return WriteInteger(value);
        }
    }

    private int WriteInteger(ulong value)
    {
        var isLong = Peek(0) == 'l';
        _at += isLong ? 1 : 0;
        _at += isLong && Peek(0) == 'l' ? 1 : 0;
        var conversion = (char)Peek(0);
        if (conversion is not ('i' or 'd' or 'u' or 'x' or 'X'))
        {
            return -Errno.EINVAL;
        }
        if (!TakeArgumentBytes(isLong ? 8 : 4, aligned: true))
        {
            return -Errno.ENOSPC;
        }
        Span<byte> digits = stackalloc byte[20];
        var count = 0;
        byte sign = 0;
        if (conversion is 'i' or 'd')
        {
            var signed = isLong ? (long)value : (int)value;
            sign =
                signed < 0 ? (byte)'-'
                : _plus ? (byte)'+'
                : _space ? (byte)' '
                : (byte)0;
            value = signed < 0 ? 0 - (ulong)signed : (ulong)signed;
        }
        else if (!isLong)
        {
            value = (uint)value;
        }
        var format =
            conversion == 'x' ? "x"
            : conversion == 'X' ? "X"
            : "";
        value.TryFormat(digits, out count, format, CultureInfo.InvariantCulture);
        WriteNumber(sign, digits[..count]);
        return 0;
    }

    private int WritePointer(ulong value)
    {
        var kind = Peek(1);
        if (kind is (byte)'k' or (byte)'u' && Peek(2) == 's')
        {
            _at += 2;
            return WriteString(value, padded: false);
        }
        if (kind is (byte)'i' or (byte)'I' && Peek(2) is (byte)'4' or (byte)'6')
        {
            _at += 2;
            return WriteAddress(value, kind, _format[_at] == '4' ? 4 : 16);
        }
        var isSymbol = kind is (byte)'s' or (byte)'S' or (byte)'B';
        if (!isSymbol && kind is not ((byte)'K' or (byte)'x') && !EndsConversion(kind))
        {
            return -Errno.EINVAL;
        }
        if (!TakeArgumentBytes(8, aligned: true))
        {
            return -Errno.ENOSPC;
        }
        Span<byte> digits = stackalloc byte[18];
        if (isSymbol)
        {
            "0x"u8.CopyTo(digits);
            value.TryFormat(digits[2..], out var count, "x", CultureInfo.InvariantCulture);
            WritePadded(digits[..(2 + count)]);
        }
        else
        {
            value.TryFormat(digits, out var count, _width == 0 ? "x16" : "x", CultureInfo.InvariantCulture);
            WriteNumber(0, digits[..count]);
        }
        _at += isSymbol || kind is (byte)'K' or (byte)'x' ? 1 : 0;
        return 0;
    }

    private int WriteString(ulong address, bool padded)
    {
        if (!EndsConversion(Peek(1)))
        {
            return -Errno.EINVAL;
        }
        var room = MaxArgumentBytes - _argumentBytes;
        if (room == 0)
        {
            return -Errno.ENOSPC;
        }
        var text = ProbedMemory.At(_runtime, address);
        var zero = text.IndexOf((byte)0);
        if (zero < 0 && text.Length < room)
        {
            text = [];
        }
        else
        {
            text = text[..(zero < 0 ? room - 1 : Math.Min(zero, room - 1))];
        }
        TakeArgumentBytes(text.Length + 1, aligned: false);
        if (padded)
        {
            WritePadded(text);
        }
        else
        {
            Write(text);
        }
        return 0;
    }

    private int WriteAddress(ulong address, byte kind, int size)
    {
        if (MaxArgumentBytes - _argumentBytes < size)
        {
            return -Errno.ENOSPC;
        }
        Span<byte> bytes = stackalloc byte[size];
        var memory = ProbedMemory.At(_runtime, address);
        if (memory.Length >= size)
        {
            memory[..size].CopyTo(bytes);
        }
        // %pi4 prints every digit of a byte, %pi6 no colons; %pI6 keeps all zeros.
        Span<byte> text = stackalloc byte[40];
        var length = 0;
        for (var i = 0; i < size; i++)
        {
            int count;
            if (size == 4)
            {
                if (i > 0)
                {
                    text[length++] = (byte)'.';
                }
                bytes[i].TryFormat(text[length..], out count, kind == 'i' ? "D3" : "D", CultureInfo.InvariantCulture);
            }
            else
            {
                if (i > 0 && i % 2 == 0 && kind == 'I')
                {
                    text[length++] = (byte)':';
                }
                bytes[i].TryFormat(text[length..], out count, "x2", CultureInfo.InvariantCulture);
            }
            length += count;
        }
        TakeArgumentBytes(length + 1, aligned: false);
        // Behind the end of the room such text does not even count (bstr_printf).
        if (_written < _line.Length)
        {
            Write(text[..length]);
        }
        return 0;
    }

    private bool TakeArgumentBytes(int count, bool aligned)
    {
        var start = aligned ? (_argumentBytes + 3) & ~3 : _argumentBytes;
        if (MaxArgumentBytes - start < count)
        {
            return false;
        }
        _argumentBytes = start + count;
        return true;
    }

    private void WriteNumber(byte sign, scoped ReadOnlySpan<byte> digits)
    {
        var padding = _width - digits.Length - (sign != 0 ? 1 : 0);
        if (!_left && !_zero)
        {
            Fill((byte)' ', padding);
        }
        if (sign != 0)
        {
            Write(sign);
        }
        if (!_left && _zero)
        {
            Fill((byte)'0', padding);
        }
        Write(digits);
        if (_left)
        {
            Fill((byte)' ', padding);
        }
    }

    private void WritePadded(scoped ReadOnlySpan<byte> text)
    {
        Fill((byte)' ', _left ? 0 : _width - text.Length);
        Write(text);
        Fill((byte)' ', _left ? _width - text.Length : 0);
    }

    private void Write(scoped ReadOnlySpan<byte> text)
    {
        foreach (var letter in text)
        {
            Write(letter);
        }
    }

    private void Write(byte letter)
    {
        if (_written < _line.Length - 1)
        {
            _line[_written] = letter;
        }
        _written++;
    }

    private void Fill(byte letter, int count)
    {
        if (count > 0)
        {
            var visible = Math.Clamp(_line.Length - 1 - _written, 0, count);
            _line.Slice(Math.Min(_written, _line.Length), visible).Fill(letter);
            _written += count;
        }
    }

    // The letter that many places on, 0 at the end, as in a zero-terminated string.
    private readonly byte Peek(int distance) => _at + distance < _format.Length ? _format[_at + distance] : (byte)0;

    private static bool EndsConversion(byte letter) =>
        letter is 0 or (>= 0x09 and <= 0x0d) or (byte)' '
        || char.IsBetween((char)letter, '!', '~') && !char.IsAsciiLetterOrDigit((char)letter);
}
