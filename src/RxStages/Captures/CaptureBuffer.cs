using RxStages.Bpf.Errors;

namespace RxStages.Captures;

/// <summary>
/// A window that moves over a stream: large reads into one buffer of fixed size, in which the records are looked at where
/// they are.
/// </summary>
internal sealed class CaptureBuffer(Stream stream, string source) : IDisposable
{
    private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(Size);
    private int _start;
    private int _end;

    /// <summary>The most bytes that can be looked at together, and so the longest record: two of the longest packets.</summary>
    public const int Size = 2 * CapturePacket.MaximumLength;

    /// <summary>How much is read at a time: no more than stays in a core's second-level cache until it is looked at.</summary>
    private const int ChunkSize = 128 << 10;

    /// <summary>The stream's name for error messages.</summary>
    public string Source => source;

    /// <summary>Where the window begins, in bytes from the beginning of the stream.</summary>
    public long Offset { get; private set; }

    /// <summary>The bytes in the window: those that <see cref="Ensure"/> asked for, and more.</summary>
    public ReadOnlySpan<byte> Window => _bytes.AsSpan(_start, _end - _start);

    /// <summary>
    /// Makes the window at least <paramref name="count"/> bytes long, at most <see cref="Size"/>; false if the stream ends
    /// before. Waits for no more bytes than asked for, so that a pipe can be followed.
    /// </summary>
    public bool Ensure(int count) => _end - _start >= count || Fill(count);

    /// <summary>Moves the window's beginning on by bytes that are in it. They stay readable until the next <see cref="Ensure"/>.</summary>
    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)(_end - _start));
        _start += count;
        Offset += count;
    }

    /// <summary>Moves the window's beginning on by any number of bytes; false if the stream ends before.</summary>
    public bool Skip(long count)
    {
        while (count > 0)
        {
            if (!Ensure(1))
            {
                return false;
            }
            var step = (int)Math.Min(count, _end - _start);
            Advance(step);
            count -= step;
        }
        return true;
    }

    private bool Fill(int count)
    {
        Window.CopyTo(_bytes);
        (_start, _end) = (0, _end - _start);
        while (_end < count)
        {
            int read;
            try
            {
                var wanted = Math.Max(count - _end, ChunkSize);
                read = stream.Read(_bytes, _end, Math.Min(wanted, _bytes.Length - _end));
            }
            catch (Exception error) when (error is IOException or InvalidDataException or UnauthorizedAccessException)
            {
                throw new InputException(source, $"offset {Offset + _end}", $"cannot be read: {error.Message}");
            }
            if (read == 0)
            {
                return false;
            }
            _end += read;
        }
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => stream.Dispose();
}
