using System.Runtime.InteropServices;

namespace RxStages.Bpf.Runtime;

/// <summary>
/// The view of one packet that a program works on, after the kernel's <c>struct xdp_buff</c>. It lives in native memory,
/// one per frame of a frame pool; its address is what a program has in r1. Programs see it as <c>struct xdp_md</c>
/// (<see cref="XdpMd"/>): the verifier allows only that view, compiler and interpreter translate it.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct XdpBuff
{
    /// <summary>First byte of the packet.</summary>
    public byte* Data;

    /// <summary>First byte behind the packet (behind its linear part, where it has fragments).</summary>
    public byte* DataEnd;

    /// <summary>First byte of the metadata in front of the packet; equal to <see cref="Data"/> when there is none, above it when the port does not support any.</summary>
    public byte* DataMeta;

    /// <summary>First byte of the frame. The kernel keeps its <c>xdp_frame</c> there, so a head grows only to <see cref="FrameReserve"/> bytes behind it.</summary>
    public byte* DataHardStart;

    /// <summary>First byte behind the room that a packet's linear part may grow into: frame size less <see cref="FrameTailroom"/>.</summary>
    public byte* DataHardEnd;

    /// <summary>
    /// The bytes behind the linear part of a packet that did not fit it, in one piece, or null. They fill pages of memory
    /// (<see cref="FrameSize"/>, aligned): each is one of the kernel's fragments. Bytes that are pulled into the linear part
    /// move this on.
    /// </summary>
    public byte* Fragments;

    /// <summary>How many bytes are at <see cref="Fragments"/>.</summary>
    public uint FragmentsLength;

    /// <summary>
    /// How many bytes of memory there are at <see cref="Fragments"/>: the last fragment may grow to the end of its page
    /// (<see cref="FrameSize"/>) as far as they reach. 0: fragments cannot grow, as with drivers that do not say their size.
    /// </summary>
    public uint FragmentsCapacity;

    /// <summary>The interface that the packet came in by (<c>ingress_ifindex</c>).</summary>
    public uint IngressIfindex;

    /// <summary>The receive queue that it came in by (<c>rx_queue_index</c>).</summary>
    public uint RxQueueIndex;

    /// <summary>The interface it leaves by (<c>egress_ifindex</c>); set only for programs on devmap entries.</summary>
    public uint EgressIfindex;

    /// <summary>The frame's index in its pool.</summary>
    public uint Frame;

    /// <summary>The packet's running number at its port, from 0.</summary>
    public uint Sequence;

    /// <summary>The packet's length when it was received, in bytes: before a program moved its boundaries.</summary>
    public uint ReceivedLength;

    /// <summary>When the packet was received, in nanoseconds since 1970; 0 if not known.</summary>
    public ulong Timestamp;

    /// <summary>Where a packet with verdict <see cref="XdpAction.Redirect"/> goes.</summary>
    public RedirectTarget Redirect;

    /// <summary>The packet's length on the wire, in bytes: above <see cref="ReceivedLength"/> where a capture has cut it.</summary>
    public uint OriginalLength;

    /// <summary>A number by which the receiving port knows where the packet is from: for a capture its interface's in the file.</summary>
    public uint Origin;

    /// <summary>Bytes in front of the packet that a fresh frame has (<c>XDP_PACKET_HEADROOM</c>).</summary>
    public const int Headroom = 256;

    /// <summary>Bytes at the frame's start that programs may not use (<c>sizeof(struct xdp_frame)</c>).</summary>
    public const int FrameReserve = 40;

    /// <summary>Bytes at the frame's end that programs may not use (the aligned size of <c>struct skb_shared_info</c>).</summary>
    public const int FrameTailroom = 320;

    /// <summary>The size of a frame for which all limits are those of the kernel's <c>BPF_PROG_TEST_RUN</c> (one page).</summary>
    public const int FrameSize = 4096;

    /// <summary>The most fragments that a packet has (<c>MAX_SKB_FRAGS</c>).</summary>
    public const int MaxFragments = 17;

    /// <summary>The packet's length in bytes, fragments included.</summary>
    public readonly uint Length => (uint)(DataEnd - Data) + FragmentsLength;
}
