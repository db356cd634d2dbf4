using System.Text;
using RxStages.Bpf.Errors;

namespace RxStages.Bpf.Objects;

/// <summary>
/// Strings that end in a zero byte, one behind the other, named by offset: ELF string sections and BTF's. For use while
/// a file is read; keeps what it has decoded.
/// </summary>
/// <remarks>
/// A hostile file can name every byte of one long string as the start of another, so that a small table stands for
/// gigabytes of text. What is decoded is therefore limited by the table's size.
/// </remarks>
internal sealed class StringTable(ReadOnlyMemory<byte> bytes, string source, string place)
{
    private const int MaxDecoded = 16 << 20;

    private readonly Dictionary<uint, string> _decoded = [];
    private long _budget = Math.Min((2L * bytes.Length) + 4096, MaxDecoded);

    /// <summary>The string at <paramref name="offset"/>.</summary>
    /// <exception cref="InputException">The offset is outside, the string has no end, or strings overlap beyond reason.</exception>
    public string this[uint offset]
    {
        get
        {
            if (_decoded.TryGetValue(offset, out var known))
            {
                return known;
            }
            if (offset >= bytes.Length)
            {
                throw new InputException(source, place, $"no string at offset {offset}: it has {bytes.Length} bytes");
            }
            var rest = bytes.Span[(int)offset..];
            var length = rest.IndexOf((byte)0);
            if (length < 0)
            {
                throw new InputException(source, place, $"the string at offset {offset} has no end");
            }
            _budget -= length;
            if (_budget < 0)
            {
                throw new InputException(source, place, "too much text for its size: its strings overlap");
            }
            var text = Encoding.UTF8.GetString(rest[..length]);
            _decoded.Add(offset, text);
            return text;
        }
    }
}
