using System.IO.Compression;
using RxStages.Bpf.Errors;

namespace RxStages.Captures;

/// <summary>The format of a capture file.</summary>
public enum CaptureFormat
{
    /// <summary>The classic format of libpcap: one interface, no options.</summary>
    Pcap,

    /// <summary>The present format: several interfaces, options such as a packet's verdict.</summary>
    Pcapng,
}

/// <summary>
/// Reads a capture file packet by packet: pcap and pcapng, both byte orders, gzip-compressed or not. Never holds more than
/// half a mebibyte of the file; takes no memory per packet.
/// </summary>
public sealed class CaptureReader : IDisposable
{
    private readonly Stream _file;
    private readonly CaptureBuffer _buffer;
    private readonly PcapReader? _pcap;
    private readonly PcapngReader? _pcapng;

    /// <summary>Reads a capture from a stream, which the reader then owns.</summary>
    /// <param name="stream">The capture; need not be seekable.</param>
    /// <param name="source">The stream's name for error messages.</param>
    /// <exception cref="InputException">It is not a capture, or of a kind that is not supported.</exception>
    public CaptureReader(Stream stream, string source)
    {
        _file = stream;
        try
        {
            _buffer = Decompress(new CaptureBuffer(stream, source), stream);
            (_pcap, _pcapng) = Recognise(_buffer);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Opens a capture file; <c>-</c> is the standard input.</summary>
    /// <exception cref="InputException">It cannot be opened, is not a capture, or of a kind that is not supported.</exception>
    public static CaptureReader Open(string path)
    {
        if (path == "-")
        {
            return new CaptureReader(Console.OpenStandardInput(), "standard input");
        }
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            throw FileErrors.Describe(path, "cannot be opened", error);
        }
        return new CaptureReader(file, path);
    }

    /// <summary>The capture's name, as in error messages.</summary>
    public string Source => _buffer.Source;

    /// <summary>The file's format.</summary>
    public CaptureFormat Format => _pcap is not null ? CaptureFormat.Pcap : CaptureFormat.Pcapng;

    /// <summary>
    /// The interfaces described up to here, those of all sections one after the other: grows while packets are read, and
    /// holds the interface of every packet that was read.
    /// </summary>
    public IReadOnlyList<CaptureInterface> Interfaces => _pcap?.Interfaces ?? _pcapng!.Interfaces;

    /// <summary>How much of the file is read, from 0 to 1; null where its length is not known (a pipe).</summary>
    public double? Progress =>
        _file is { CanSeek: true, Length: > 0 and var length } ? (double)_file.Position / length : null;

    /// <summary>Reads the next packet; false at the end of the file.</summary>
    /// <param name="packet">The packet; its spans are good until the next call.</param>
    /// <exception cref="InputException">
    /// The file is broken here or ends within a packet; the packets before have all been given. Nothing more can be read.
    /// </exception>
    public bool TryRead(out CapturePacket packet) =>
        _pcapng is not null ? _pcapng.TryRead(out packet) : _pcap!.TryRead(out packet);

    /// <inheritdoc/>
    public void Dispose()
    {
        _buffer.Dispose();
        _file.Dispose();
    }

    private static CaptureBuffer Decompress(CaptureBuffer buffer, Stream stream)
    {
        if (!buffer.Ensure(2) || buffer.Window is not [0x1f, 0x8b, ..])
        {
            return buffer;
        }
        var compressed = new PrefixedStream(buffer.Window.ToArray(), stream);
        return new CaptureBuffer(new GZipStream(compressed, CompressionMode.Decompress), buffer.Source);
    }

    private static (PcapReader?, PcapngReader?) Recognise(CaptureBuffer buffer)
    {
        if (!buffer.Ensure(4))
        {
            var length = buffer.Window.Length;
            throw NotSupported(length == 0 ? "is empty" : $"is no capture file: it has only {length} bytes");
        }
        var magic = new ByteOrder(isBigEndian: true).ReadUInt32(buffer.Window);
        return magic switch
        {
            Pcapng.SectionHeaderBlock => (null, new PcapngReader(buffer)),
            0xa1b2c3d4 => (new PcapReader(buffer, new ByteOrder(isBigEndian: true), hasNanoseconds: false), null),
            0xd4c3b2a1 => (new PcapReader(buffer, new ByteOrder(isBigEndian: false), hasNanoseconds: false), null),
            0xa1b23c4d => (new PcapReader(buffer, new ByteOrder(isBigEndian: true), hasNanoseconds: true), null),
            0x4d3cb2a1 => (new PcapReader(buffer, new ByteOrder(isBigEndian: false), hasNanoseconds: true), null),
            0xa1b2cd34 or 0x34cdb2a1 => throw NotSupported(
                "is in the modified pcap format of Alexey Kuznetzov's patches, which is not supported"
            ),
            0xa1e2cb12 or 0x12cbe2a1 => throw NotSupported("is in Navtel's pcap format, which is not supported"),
            0x1c0001ac or 0xac01001c or 0x1c0001ab or 0xab01001c => throw NotSupported(
                "is in IXIA's pcap format, which is not supported"
            ),
            0x736e6f6f => throw NotSupported("is in the snoop format, which is not supported"),
            0x28b52ffd => throw NotSupported("is compressed with zstd: decompress it first"),
            0xfd377a58 => throw NotSupported("is compressed with xz: decompress it first"),
            0x04224d18 => throw NotSupported("is compressed with lz4: decompress it first"),
            _ when magic >> 8 == 0x425a68 => throw NotSupported("is compressed with bzip2: decompress it first"),
            _ => throw NotSupported(
                $"is no capture file: it begins with {magic:x8}, not with the magic of pcap or pcapng"
            ),
        };

        InputException NotSupported(string reason) => new(buffer.Source, null, reason);
    }
}
