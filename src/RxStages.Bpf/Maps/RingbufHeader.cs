using System.Runtime.InteropServices;

namespace RxStages.Bpf.Maps;

/// <summary>
/// The native part of a ring buffer, in a page of its own in front of the data, so that a record can find it. Positions only
/// grow; the place in the data is their low bits. A record that does not fit before the end goes on behind it: there is
/// memory for as much again, in place of the kernel's second mapping of the same pages.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RingbufHeader
{
    internal MapHeader Map;

    /// <summary>The data's size less one.</summary>
    internal ulong Mask;

    /// <summary>Held by who reserves.</summary>
    internal int Lock;

    /// <summary>Up to where records were consumed.</summary>
    internal ulong ConsumerPosition;

    /// <summary>Up to where records were reserved.</summary>
    internal ulong ProducerPosition;

    /// <summary>Up to where all records are known to be submitted or discarded.</summary>
    internal ulong PendingPosition;

    /// <summary>Bytes in a page of the kernel's.</summary>
    internal const uint PageSize = 4096;

    /// <summary>The first byte of the data.</summary>
    internal static byte* Data(RingbufHeader* ring) => (byte*)ring + PageSize;
}

/// <summary>What is in front of each record (<c>struct bpf_ringbuf_hdr</c>).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct RingbufRecord
{
    /// <summary>The record's length, with <see cref="BusyBit"/> until it is submitted and <see cref="DiscardBit"/> if it does not count.</summary>
    internal uint Length;

    /// <summary>How many pages behind the ring buffer's header it is.</summary>
    internal uint PageOffset;

    /// <summary><c>BPF_RINGBUF_BUSY_BIT</c></summary>
    internal const uint BusyBit = 1u << 31;

    /// <summary><c>BPF_RINGBUF_DISCARD_BIT</c></summary>
    internal const uint DiscardBit = 1u << 30;

    /// <summary><c>BPF_RINGBUF_HDR_SZ</c></summary>
    internal const uint Size = 8;

    /// <summary>The greatest record (<c>RINGBUF_MAX_RECORD_SZ</c>).</summary>
    internal const uint MaxLength = uint.MaxValue / 4;

    /// <summary>Bytes that a record of some length takes, header included.</summary>
    internal static ulong Space(uint length) => ((ulong)(length & ~(BusyBit | DiscardBit)) + Size + 7) & ~7ul;
}
