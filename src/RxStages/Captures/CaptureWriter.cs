using RxStages.Bpf.Errors;

namespace RxStages.Captures;

/// <summary>
/// Writes a capture file, with timestamps in nanoseconds. What pcap has no place for (interfaces, verdicts, comments) is
/// left out of one. Takes no memory per packet. What cannot be written is an <see cref="InputException"/> that names the
/// file.
/// </summary>
public sealed class CaptureWriter : IDisposable
{
    private readonly CaptureOutput _output;
    private int _interfaces;

    /// <summary>Writes to a stream, which the writer then owns.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="target">The stream's name for error messages.</param>
    /// <param name="format">The format.</param>
    public CaptureWriter(Stream stream, string target, CaptureFormat format)
    {
        _output = new CaptureOutput(stream, target);
        Format = format;
        if (format == CaptureFormat.Pcap)
        {
            PcapWriter.WriteHeader(_output);
        }
        else
        {
            PcapngWriter.WriteHeader(_output);
        }
    }

    /// <summary>
    /// Creates a capture file, or begins anew one that is there: pcap if its name ends with <c>.pcap</c>, else pcapng.
    /// <c>-</c> is the standard output.
    /// </summary>
    public static CaptureWriter Create(string path)
    {
        if (path == "-")
        {
            return new CaptureWriter(Console.OpenStandardOutput(), "standard output", CaptureFormat.Pcapng);
        }
        var isPcap = path.EndsWith(".pcap", StringComparison.OrdinalIgnoreCase);
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            throw FileErrors.Describe(path, "cannot be created", error);
        }
        return new CaptureWriter(file, path, isPcap ? CaptureFormat.Pcap : CaptureFormat.Pcapng);
    }

    /// <summary>The file's format.</summary>
    public CaptureFormat Format { get; }

    /// <summary>
    /// Adds an interface, of which packets can then be written. Its snap length must hold for what is written, so give 0
    /// where programs may have made packets longer than they were captured.
    /// </summary>
    /// <returns>Its number, for <see cref="CapturePacket.Interface"/>: 0, 1, …</returns>
    public int AddInterface(CaptureInterface captureInterface)
    {
        if (Format == CaptureFormat.Pcapng)
        {
            PcapngWriter.WriteInterface(_output, captureInterface);
        }
        return _interfaces++;
    }

    /// <summary>Writes a packet.</summary>
    /// <param name="packet">The packet, or its first part.</param>
    /// <param name="fragments">The bytes that follow <see cref="CapturePacket.Data"/>, if it is not all.</param>
    public void Write(in CapturePacket packet, ReadOnlySpan<byte> fragments = default)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)packet.Interface, (uint)_interfaces);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(
            (long)packet.Data.Length + fragments.Length,
            CapturePacket.MaximumLength
        );
        ArgumentOutOfRangeException.ThrowIfGreaterThan(packet.Comment.Length, ushort.MaxValue);
        if (Format == CaptureFormat.Pcap)
        {
            PcapWriter.WritePacket(_output, packet, fragments);
        }
        else
        {
            PcapngWriter.WritePacket(_output, packet, fragments);
        }
    }

    /// <summary>Writes out what is buffered.</summary>
    public void Flush() => _output.Flush();

    /// <summary>Writes out what is buffered and closes the file.</summary>
    public void Dispose() => _output.Dispose();
}
