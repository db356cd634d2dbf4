using System.Globalization;
using System.Text;
using RxStages.Bpf.Errors;

namespace RxStages.Bpf.Network;

/// <summary>A line of a file that describes the network, in words.</summary>
internal sealed class TextLine
{
    // More than any host has routes and sockets; fewer than would fill a machine's memory.
    private const int MaxLines = 4_000_000;
    private const int MaxLength = 65_536;

    // With -o, ip writes a backslash where it would break the line.
    private static readonly char[] Spaces = [' ', '\t', '\r', '\\'];

    private readonly string _source;
    private readonly int _number;
    private int _next;

    private TextLine(string source, int number, string text)
    {
        _source = source;
        _number = number;
        IsIndented = char.IsWhiteSpace(text[0]);
        Words = text.Split(Spaces, StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>True when it begins with white space: it belongs to the line before.</summary>
    public bool IsIndented { get; }

    /// <summary>Its words, at least one.</summary>
    public string[] Words { get; }

    /// <summary>True when all words were taken.</summary>
    public bool IsAtEnd => _next == Words.Length;

    /// <summary>Reads all lines that are neither empty nor comments (<c>#</c>).</summary>
    /// <param name="reader">The text.</param>
    /// <param name="source">What errors call it.</param>
    /// <exception cref="InputException">There is too much of it.</exception>
    public static IEnumerable<TextLine> ReadAll(TextReader reader, string source)
    {
        var letters = new StringBuilder();
        for (var number = 1; ReadLine(reader, letters) is { } text; number++)
        {
            if (number > MaxLines)
            {
                throw new InputException(source, $"line {number}", $"the limit is {MaxLines} lines");
            }
            if (text.Length > MaxLength)
            {
                throw new InputException(
                    source,
                    $"line {number}",
                    $"more than {MaxLength} characters, which is the limit"
                );
            }
            if (text.AsSpan().ContainsAnyExcept(Spaces) && !text.AsSpan().TrimStart().StartsWith('#'))
            {
                yield return new TextLine(source, number, text);
            }
        }
    }

    // Never takes in more than a character too many: a file may have no end of line, or no end.
    private static string? ReadLine(TextReader reader, StringBuilder letters)
    {
        letters.Clear();
        int next;
        while ((next = reader.Read()) >= 0 && next != '\n' && letters.Length <= MaxLength)
        {
            letters.Append((char)next);
        }
        return next < 0 && letters.Length == 0 ? null : letters.ToString().TrimEnd('\r');
    }

    /// <summary>Opens a file and reads from it.</summary>
    /// <exception cref="InputException">It cannot be read, or holds what <paramref name="read"/> does not take.</exception>
    public static T ReadFile<T>(string path, Func<TextReader, string, T> read)
    {
        try
        {
            using var reader = new StreamReader(path);
            return read(reader, path);
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            throw FileErrors.Describe(path, "cannot be read", error);
        }
    }

    /// <summary>The error for this line.</summary>
    public InputException Error(string reason) => new(_source, $"line {_number}", reason);

    /// <summary>Starts again at a word.</summary>
    public void StartAt(int word) => _next = word;

    /// <summary>Takes the next word.</summary>
    /// <param name="what">What it should be, for the error if there is none.</param>
    public string Take(string what) => IsAtEnd ? throw Error($"ends where {what} should be") : Words[_next++];

    /// <summary>Takes the next word if it is this one.</summary>
    public bool TakeIf(string word)
    {
        var isNext = !IsAtEnd && Words[_next] == word;
        _next += isNext ? 1 : 0;
        return isNext;
    }

    /// <summary>The next word, not taken; empty at the end.</summary>
    public string Peek() => IsAtEnd ? "" : Words[_next];

    /// <summary>Takes a number, decimal or with 0x.</summary>
    public uint TakeNumber(string what, uint max = uint.MaxValue)
    {
        var word = Take(what);
        var isHexadecimal = word.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        return
            uint.TryParse(
                isHexadecimal ? word.AsSpan(2) : word,
                isHexadecimal ? NumberStyles.AllowHexSpecifier : NumberStyles.None,
                CultureInfo.InvariantCulture,
                out var number
            )
            && number <= max
            ? number
            : throw Error($"'{word}' is not {what}: a number up to {max} is expected");
    }

    /// <summary>Takes an address.</summary>
    public NetworkAddress TakeAddress(string what)
    {
        var word = Take(what);
        return NetworkAddress.TryParse(word, out var address)
            ? address
            : throw Error($"'{word}' is not {what}: an IP address is expected");
    }

    /// <summary>Takes an address with the length of its prefix.</summary>
    public (NetworkAddress Address, int PrefixLength) TakePrefix(string what)
    {
        var word = Take(what);
        return NetworkAddress.TryParsePrefix(word, out var address, out var length)
            ? (address, length)
            : throw Error($"'{word}' is not {what}: an address like 10.0.0.0/8 or fd00::/64 is expected");
    }

    /// <summary>Reads a link layer address: bytes in hexadecimal, parted by colons; the first six count.</summary>
    public static bool TryReadHardwareAddress(string text, out ulong address)
    {
        address = 0;
        var count = 0;
        foreach (var range in text.AsSpan().Split(':'))
        {
            var part = text.AsSpan(range);
            if (
                part.Length != 2
                || !byte.TryParse(part, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)
            )
            {
                return false;
            }
            address = count++ < 6 ? (address << 8) | value : address;
        }
        return count >= 6;
    }
}
