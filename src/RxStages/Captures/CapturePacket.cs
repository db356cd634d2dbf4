namespace RxStages.Captures;

/// <summary>
/// One packet of a capture file: what <see cref="CaptureReader"/> reads and <see cref="CaptureWriter"/> writes. A fresh one
/// has no data, no timestamp, interface 0 and no options.
/// </summary>
public readonly ref struct CapturePacket
{
    /// <summary>The captured bytes, without a frame check sequence. When read: inside the reader's buffer, good until its next read.</summary>
    public ReadOnlySpan<byte> Data { get; init; }

    /// <summary>
    /// The packet's length on the wire in bytes; greater than that of <see cref="Data"/> for a packet that was cut when it
    /// was captured. When written, anything below the length of the data stands for that length.
    /// </summary>
    public uint OriginalLength { get; init; }

    /// <summary>The interface it was captured on: an index into <see cref="CaptureReader.Interfaces"/>, or a writer's number for one.</summary>
    public int Interface { get; init; }

    /// <summary>When it was captured, in nanoseconds since 1970; 0 if not known.</summary>
    public ulong Timestamp { get; init; }

    /// <summary>The packet's running number in its file, from 0. Not written.</summary>
    public long Index { get; init; }

    /// <summary>Where its record begins, in bytes from the beginning of the (decompressed) file. Not written.</summary>
    public long Offset { get; init; }

    /// <summary><c>epb_flags</c>: direction, reception type, FCS length, link-layer errors; null if not given.</summary>
    public uint? Flags { get; init; }

    /// <summary><c>epb_dropcount</c>: packets lost between this one and the one before; null if not given.</summary>
    public ulong? DropCount { get; init; }

    /// <summary><c>epb_packetid</c>: the same for the same packet seen at several places; null if not given.</summary>
    public ulong? PacketId { get; init; }

    /// <summary><c>epb_queue</c>: the interface's queue it was received on; null if not given.</summary>
    public uint? Queue { get; init; }

    /// <summary><c>epb_verdict</c> of type 2, Linux eBPF XDP: what the program returned; null if not given.</summary>
    public ulong? XdpVerdict { get; init; }

    /// <summary><c>opt_comment</c> in UTF-8, the first if there are several; empty if not given.</summary>
    public ReadOnlySpan<byte> Comment { get; init; }

    /// <summary>True when part of the packet was not captured.</summary>
    public bool IsTruncated => OriginalLength > (uint)Data.Length;

    /// <summary>
    /// The longest packet that is read or written, in bytes: the limit of libpcap and Wireshark for Ethernet
    /// (<c>MAXIMUM_SNAPLEN</c>, <c>WTAP_MAX_PACKET_SIZE_STANDARD</c>).
    /// </summary>
    public const int MaximumLength = 262144;
}
