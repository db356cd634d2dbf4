using RxStages.Bpf.Errors;

namespace RxStages.Captures;

/// <summary>Gathers records into large writes to a stream.</summary>
internal sealed class CaptureOutput(Stream stream, string target) : IDisposable
{
    private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(Size);
    private int _count;

    private const int Size = CaptureBuffer.Size;

    /// <summary>Room for the next bytes of the file, which the caller then fills; at most <see cref="Size"/>.</summary>
    public Span<byte> Append(int length)
    {
        if (length > Size - _count)
        {
            WriteOut();
        }
        var room = _bytes.AsSpan(_count, length);
        _count += length;
        return room;
    }

    /// <summary>Hands everything over to the operating system.</summary>
    public void Flush()
    {
        WriteOut();
        try
        {
            stream.Flush();
        }
        catch (Exception error) when (IsWriteError(error))
        {
            throw CannotWrite(error);
        }
    }

    private void WriteOut()
    {
        // What could not be written is not written again when the output is closed.
        var count = _count;
        _count = 0;
        try
        {
            stream.Write(_bytes, 0, count);
        }
        catch (Exception error) when (IsWriteError(error))
        {
            throw CannotWrite(error);
        }
    }

    private static bool IsWriteError(Exception error) => error is IOException or UnauthorizedAccessException;

    private InputException CannotWrite(Exception error) => new(target, null, $"cannot be written: {error.Message}");

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            Flush();
        }
        finally
        {
            stream.Dispose();
        }
    }
}
