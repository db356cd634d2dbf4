using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Packets;

/// <summary>
/// A worker's packet memory: frames of one size side by side, an <see cref="XdpBuff"/> for each in a dense array of their
/// own, and a stack of the free ones, so that the frame used last, whose lines are still cached, is used next. Frames are
/// taken and recycled by one thread.
/// </summary>
/// <remarks>
/// A frame is 256 bytes of headroom, room for the packet's linear part (<see cref="LinearCapacity"/>), and a tail of 320
/// bytes that programs may not use, as in the kernel. What a packet has beyond the linear part goes to a side buffer
/// (<see cref="XdpBuff.Fragments"/>).
/// </remarks>
public sealed unsafe class FramePool : IDisposable
{
    /// <summary>How far apart the <see cref="XdpBuff"/>s are: whole cache lines.</summary>
    private static readonly int s_stride =
        (sizeof(XdpBuff) + NativeBlock.CacheLine - 1) / NativeBlock.CacheLine * NativeBlock.CacheLine;

    private readonly FragmentPool _fragments;
    private byte* _memory;
    private byte* _buffs;
    private XdpBuff** _free;
    private int _freeCount;
    private bool* _isFree;

    /// <summary>Makes a pool of free frames.</summary>
    /// <param name="frameCount">How many frames, 1 to 2^22.</param>
    /// <param name="frameSize">Bytes in a frame: 1024 to 65,536, a multiple of 64.</param>
    /// <param name="fragmentBuffers">How many packets may have a side buffer (of 68 KiB) at a time.</param>
    /// <param name="detectMisuse">For tests: throw when a frame is recycled that is free, or not of this pool.</param>
    public FramePool(
        int frameCount,
        int frameSize = XdpBuff.FrameSize,
        int fragmentBuffers = PacketVector.MaxCapacity,
        bool detectMisuse = false
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(frameCount, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(frameCount, 1 << 22);
        ArgumentOutOfRangeException.ThrowIfLessThan(frameSize, 1024);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(frameSize, 65536);
        ArgumentOutOfRangeException.ThrowIfNotEqual(frameSize % NativeBlock.CacheLine, 0, nameof(frameSize));
        ArgumentOutOfRangeException.ThrowIfNegative(fragmentBuffers);
        FrameCount = frameCount;
        FrameSize = frameSize;
        FragmentBuffers = fragmentBuffers;
        _fragments = new FragmentPool(fragmentBuffers);
        _memory = NativeBlock.Allocate<byte>((nuint)frameCount * (nuint)frameSize);
        _buffs = NativeBlock.Allocate<byte>((nuint)frameCount * (nuint)s_stride);
        _free = (XdpBuff**)NativeBlock.Allocate<nint>((nuint)frameCount);
        _isFree = detectMisuse ? NativeBlock.Allocate<bool>((nuint)frameCount) : null;
        for (var frame = frameCount - 1; frame >= 0; frame--)
        {
            var packet = this[frame];
            packet->Frame = (uint)frame;
            packet->DataHardStart = _memory + ((nuint)frame * (nuint)frameSize);
            packet->DataHardEnd = packet->DataHardStart + frameSize - XdpBuff.FrameTailroom;
            Recycle(&packet, 1);
        }
    }

    /// <summary>How many frames there are.</summary>
    public int FrameCount { get; }

    /// <summary>Bytes in a frame.</summary>
    public int FrameSize { get; }

    /// <summary>How many frames are free.</summary>
    public int FreeCount => _freeCount;

    /// <summary>The first byte of the frames' memory, <see cref="FrameCount"/> times <see cref="FrameSize"/> bytes.</summary>
    public byte* Memory => _memory;

    /// <summary>The longest packet, in bytes, that fits a frame without a side buffer: 3520 in frames of 4096.</summary>
    public int LinearCapacity => FrameSize - XdpBuff.Headroom - XdpBuff.FrameTailroom;

    /// <summary>The longest packet that fits a frame and its side buffer, in bytes: 73,152 for frames of 4096.</summary>
    public int PacketCapacity => LinearCapacity + FragmentPool.BufferSize;

    /// <summary>The packet view of a frame, free or not.</summary>
    public XdpBuff* this[int frame] => (XdpBuff*)(_buffs + ((nuint)(uint)frame * (nuint)s_stride));

    /// <summary>Where a frame's packet begins after <see cref="Reset"/>, found without touching its view.</summary>
    public byte* FreshData(XdpBuff* packet)
    {
        var frame = (nuint)((byte*)packet - _buffs) / (nuint)s_stride;
        return _memory + (frame * (nuint)FrameSize) + XdpBuff.Headroom;
    }

    /// <summary>Takes free frames; what their views say is left from their last packet.</summary>
    /// <param name="packets">Gets the frames.</param>
    /// <param name="count">How many are wanted.</param>
    /// <returns>How many there were: fewer than <paramref name="count"/> when the pool runs empty.</returns>
    public int Take(XdpBuff** packets, int count)
    {
        count = Math.Min(count, _freeCount);
        _freeCount -= count;
        Unsafe.CopyBlockUnaligned(packets, _free + _freeCount, (uint)count * (uint)sizeof(XdpBuff*));
        if (_isFree != null)
        {
            for (var i = 0; i < count; i++)
            {
                _isFree[packets[i]->Frame] = false;
            }
        }
        return count;
    }

    /// <summary>Takes one free frame, or null when there is none.</summary>
    public XdpBuff* Take()
    {
        XdpBuff* packet;
        return Take(&packet, 1) == 1 ? packet : null;
    }

    /// <summary>Gives frames back, their side buffers too. Each was taken from this pool, and is given back once.</summary>
    public void Recycle(XdpBuff** packets, int count)
    {
        if (_fragments.InUse != 0)
        {
            _fragments.RecycleOf(packets, count);
        }
        if (_isFree != null)
        {
            MarkFree(packets, count);
        }
        Unsafe.CopyBlockUnaligned(_free + _freeCount, packets, (uint)count * (uint)sizeof(XdpBuff*));
        _freeCount += count;
    }

    /// <summary>True when every side buffer is in use, so that only packets that fit the linear part can be written.</summary>
    public bool IsOutOfSideBuffers => _fragments.InUse >= FragmentBuffers;

    /// <summary>How many packets may have a side buffer at a time.</summary>
    public int FragmentBuffers { get; }

    /// <summary>Makes a frame's view that of a new packet of that length, behind the usual headroom; touches no packet byte.</summary>
    /// <param name="packet">A frame that was taken.</param>
    /// <param name="length">The length of the linear part: at most <see cref="LinearCapacity"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Reset(XdpBuff* packet, int length)
    {
        packet->Data = packet->DataHardStart + XdpBuff.Headroom;
        packet->DataMeta = packet->Data;
        packet->DataEnd = packet->Data + length;
        packet->EgressIfindex = 0;
        packet->Origin = 0;
        packet->ReceivedLength = packet->OriginalLength = (uint)length;
    }

    /// <summary>Puts a packet's bytes into a frame, into its side buffer too where they are more than the linear part holds.</summary>
    /// <param name="packet">A frame that was taken; on success it is reset to this packet.</param>
    /// <param name="bytes">The packet: at most <see cref="PacketCapacity"/> bytes.</param>
    /// <returns>False when it needs a side buffer and all are in use: to be tried again when packets have gone.</returns>
    public bool TryWrite(XdpBuff* packet, ReadOnlySpan<byte> bytes)
    {
        var linear = Math.Min(bytes.Length, LinearCapacity);
        if (!TryWriteFragments(packet, bytes[linear..]))
        {
            return false;
        }
        Reset(packet, linear);
        packet->ReceivedLength = packet->OriginalLength = (uint)bytes.Length;
        bytes[..linear].CopyTo(new Span<byte>(packet->Data, linear));
        return true;
    }

    /// <summary>
    /// Clears a frame's headroom, so that a program that moves the packet's head sees what it would see in the kernel's
    /// <c>BPF_PROG_TEST_RUN</c>: zeros, and not bytes of the frame's last packet.
    /// </summary>
    public static void ClearHeadroom(XdpBuff* packet) => NativeMemory.Clear(packet->DataHardStart, XdpBuff.Headroom);

    /// <summary>Frees the memory. No packet of the pool may be in use any more.</summary>
    public void Dispose()
    {
        if (_memory == null)
        {
            return;
        }
        for (var frame = 0; frame < FrameCount; frame++)
        {
            var packet = this[frame];
            _fragments.RecycleOf(&packet, 1);
        }
        _fragments.Dispose();
        _freeCount = 0;
        NativeBlock.Free(ref _memory);
        NativeBlock.Free(ref _buffs);
        NativeMemory.AlignedFree(_free);
        _free = null;
        NativeBlock.Free(ref _isFree);
    }

    /// <summary>Gives a packet a side buffer with these bytes, or none for no bytes; false when all are in use.</summary>
    internal bool TryWriteFragments(XdpBuff* packet, ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return true;
        }
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes.Length, FragmentPool.BufferSize);
        var buffer = _fragments.Take();
        if (buffer == null)
        {
            return false;
        }
        bytes.CopyTo(new Span<byte>(buffer, FragmentPool.BufferSize));
        packet->Fragments = buffer;
        packet->FragmentsLength = (uint)bytes.Length;
        packet->FragmentsCapacity = FragmentPool.BufferSize;
        return true;
    }

    private void MarkFree(XdpBuff** packets, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var frame = packets[i]->Frame;
            if (frame >= (uint)FrameCount || this[(int)frame] != packets[i])
            {
                throw new InvalidOperationException($"frame {frame} is recycled into a pool that it is not of");
            }
            if (_isFree[frame])
            {
                throw new InvalidOperationException($"frame {frame} is recycled, but it is free");
            }
            _isFree[frame] = true;
        }
    }
}
