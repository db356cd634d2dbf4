using System.Globalization;
using RxStages.Bpf.Errors;

namespace RxStages.Bpf.Isa;

/// <summary>One line of assembler text, read from left to right; white space between parts does not matter.</summary>
internal sealed class AssemblyLine(string text, int number)
{
    private int _position;

    /// <summary>True when nothing is left.</summary>
    public bool IsAtEnd
    {
        get
        {
            SkipSpace();
            return _position == text.Length;
        }
    }

    /// <summary>The error for this line.</summary>
    public InputException Error(string reason) =>
        new("assembler text", $"line {number}", $"{reason}, in \"{text.Trim()}\"");

    /// <summary>Takes a symbol or a whole word if it comes next.</summary>
    public bool Accept(string symbol)
    {
        SkipSpace();
        if (string.CompareOrdinal(text, _position, symbol, 0, symbol.Length) != 0)
        {
            return false;
        }
        var end = _position + symbol.Length;
        if (IsNameCharacter(symbol[^1]) && end < text.Length && IsNameCharacter(text[end]))
        {
            return false;
        }
        _position = end;
        return true;
    }

    /// <summary>Takes the first symbol of a table that comes next and gives what the table has for it.</summary>
    public bool AcceptAny<T>((string Symbol, T Meaning)[] table, out T meaning)
    {
        foreach (var (symbol, value) in table)
        {
            if (Accept(symbol))
            {
                meaning = value;
                return true;
            }
        }
        meaning = default!;
        return false;
    }

    /// <summary>Takes a symbol that must come next.</summary>
    public void Expect(string symbol)
    {
        if (!Accept(symbol))
        {
            throw Error($"'{symbol}' expected at column {_position + 1}");
        }
    }

    /// <summary>Takes a register if one comes next.</summary>
    public bool AcceptRegister(out Register register)
    {
        SkipSpace();
        register = default;
        if (_position >= text.Length || text[_position] is not ('r' or 'w'))
        {
            return false;
        }
        var end = EndOfName();
        var digits = text.AsSpan(_position + 1, end - _position - 1);
        if (!int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var index))
        {
            return false;
        }
        if (index > 10)
        {
            throw Error($"there is no register {text[_position..end]}");
        }
        register = new Register(index, text[_position] == 'w');
        _position = end;
        return true;
    }

    /// <summary>Takes a register that must come next.</summary>
    public Register ExpectRegister() =>
        AcceptRegister(out var register) ? register : throw Error($"register expected at column {_position + 1}");

    /// <summary>Takes a register of 64 bits that must come next.</summary>
    public int ExpectWholeRegister()
    {
        var register = ExpectRegister();
        return register.IsHalf ? throw Error($"r{register.Index} expected, not w{register.Index}") : register.Index;
    }

    /// <summary>Takes a number (decimal, or hexadecimal with 0x; with or without sign) if one comes next.</summary>
    public bool AcceptNumber(out Int128 value)
    {
        SkipSpace();
        value = 0;
        var start = _position;
        var isNegative = Accept("-");
        if (!isNegative)
        {
            Accept("+");
        }
        SkipSpace();
        if (_position >= text.Length || !char.IsAsciiDigit(text[_position]))
        {
            _position = start;
            return false;
        }
        var end = EndOfName();
        var digits = text.AsSpan(_position, end - _position);
        var isHex = digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        var style = isHex ? NumberStyles.AllowHexSpecifier : NumberStyles.None;
        if (!ulong.TryParse(isHex ? digits[2..] : digits, style, CultureInfo.InvariantCulture, out var magnitude))
        {
            throw Error($"'{digits}' is not a number of at most 64 bits");
        }
        value = isNegative ? -(Int128)magnitude : magnitude;
        _position = end;
        return true;
    }

    /// <summary>Takes a number between two bounds that must come next.</summary>
    public long ExpectNumber(long low, long high)
    {
        if (!AcceptNumber(out var value))
        {
            throw Error($"number expected at column {_position + 1}");
        }
        return value >= low && value <= high ? (long)value : throw Error($"{value} is not between {low} and {high}");
    }

    /// <summary>Takes a name that must come next.</summary>
    public string ExpectName()
    {
        SkipSpace();
        var end = EndOfName();
        if (end == _position || char.IsAsciiDigit(text[_position]))
        {
            throw Error($"name expected at column {_position + 1}");
        }
        var name = text[_position..end];
        _position = end;
        return name;
    }

    /// <summary>Takes a label definition (<c>name:</c>) if one comes next.</summary>
    public string? AcceptLabel()
    {
        SkipSpace();
        var end = EndOfName();
        if (end == _position || end >= text.Length || text[end] != ':')
        {
            return null;
        }
        var name = text[_position..end];
        _position = end + 1;
        return name;
    }

    /// <summary>Takes a symbol in angle brackets, as the disassembler writes it behind a jump's target, if one comes next.</summary>
    public void SkipTargetSymbol()
    {
        if (Accept("<"))
        {
            var end = text.IndexOf('>', _position);
            _position = end < 0 ? throw Error("'>' is missing") : end + 1;
        }
    }

    private static bool IsNameCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '$';

    private int EndOfName()
    {
        var end = _position;
        while (end < text.Length && IsNameCharacter(text[end]))
        {
            end++;
        }
        return end;
    }

    private void SkipSpace()
    {
        while (_position < text.Length && char.IsWhiteSpace(text[_position]))
        {
            _position++;
        }
    }
}

/// <summary>A register as assembler text names it.</summary>
/// <param name="Index">0 to 10.</param>
/// <param name="IsHalf">True for <c>w0</c> to <c>w10</c>, the low 32 bits.</param>
internal readonly record struct Register(int Index, bool IsHalf);
