using System.Runtime.InteropServices;
using RxStages.Bpf.Runtime;
using RxStages.Packets;

namespace RxStages.Ports;

/// <summary>
/// A ring of frames between two threads, one that pushes and one that pops, without locks. Each keeps what it last saw of
/// the other's index, so that the cache lines seldom change hands.
/// </summary>
internal sealed unsafe class FrameRing : IDisposable
{
    private readonly uint _mask;
    private XdpBuff** _slots;
    private Indices _indices;

    /// <summary>Makes an empty ring.</summary>
    /// <param name="capacity">How many frames it holds: 1 to 2^22, rounded up to a power of two.</param>
    public FrameRing(int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, 1 << 22);
        Capacity = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)capacity);
        _mask = (uint)Capacity - 1;
        _slots = (XdpBuff**)NativeBlock.Allocate<nint>((nuint)Capacity);
    }

    /// <summary>How many frames it holds at the most.</summary>
    public int Capacity { get; }

    /// <summary>How many frames are in it; exact only while neither thread is at work.</summary>
    public int Count => (int)(Volatile.Read(ref _indices.Tail) - Volatile.Read(ref _indices.Head));

    /// <summary>Appends frames as long as there is room.</summary>
    /// <returns>How many were appended.</returns>
    public int Push(XdpBuff** packets, int count)
    {
        var tail = _indices.Tail;
        var room = Capacity - (int)(tail - _indices.SeenHead);
        if (room < count)
        {
            _indices.SeenHead = Volatile.Read(ref _indices.Head);
            room = Capacity - (int)(tail - _indices.SeenHead);
            count = Math.Min(count, room);
        }
        for (var i = 0; i < count; i++)
        {
            _slots[(tail + (uint)i) & _mask] = packets[i];
        }
        Volatile.Write(ref _indices.Tail, tail + (uint)count);
        return count;
    }

    /// <summary>Takes the oldest frames.</summary>
    /// <returns>How many were taken: fewer than <paramref name="max"/> when the ring runs empty.</returns>
    public int Pop(XdpBuff** packets, int max)
    {
        var count = Peek(packets, max);
        Volatile.Write(ref _indices.Head, _indices.Head + (uint)count);
        return count;
    }

    /// <summary>Like <see cref="Pop"/>, and leaves them in the ring.</summary>
    public int Peek(XdpBuff** packets, int max)
    {
        var head = _indices.Head;
        if ((int)(_indices.SeenTail - head) < max)
        {
            _indices.SeenTail = Volatile.Read(ref _indices.Tail);
        }
        var count = Math.Min(max, (int)(_indices.SeenTail - head));
        for (var i = 0; i < count; i++)
        {
            packets[i] = _slots[(head + (uint)i) & _mask];
        }
        return count;
    }

    /// <summary>Frees the slots; the frames are their pool's.</summary>
    public void Dispose()
    {
        NativeMemory.AlignedFree(_slots);
        _slots = null;
    }

    /// <summary>The popping thread's and the pushing thread's indices, each on cache lines of its own.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Indices
    {
        [FieldOffset(64)]
        public uint Head;

        [FieldOffset(68)]
        public uint SeenTail;

        [FieldOffset(128)]
        public uint Tail;

        [FieldOffset(132)]
        public uint SeenHead;
    }
}
