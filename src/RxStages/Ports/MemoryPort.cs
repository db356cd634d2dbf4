using RxStages.Bpf.Runtime;
using RxStages.Packets;

namespace RxStages.Ports;

/// <summary>
/// A port in the process, for embedding and tests: four rings of frames as AF_XDP has them (fill, receive, transmit,
/// completion) between the worker's thread and one other, which injects packets and takes transmitted ones.
/// </summary>
public sealed unsafe class MemoryPort : IReceiveQueue, IPacketConsumer, IDisposable
{
    private readonly uint _ifindex;
    private readonly uint _queue;
    private readonly FrameRing _fill;
    private readonly FrameRing _receive;
    private readonly FrameRing _transmit;
    private readonly FrameRing _completion;
    private uint _sequence;
    private bool _isClosed;

    /// <summary>Makes a port with empty receive and transmit rings.</summary>
    /// <param name="pool">Where frames come from; used by the worker's thread from then on.</param>
    /// <param name="capacity">How many packets each ring holds; rounded up to a power of two.</param>
    /// <param name="ifindex">The interface index that its packets came in by.</param>
    /// <param name="queue">The receive queue's index.</param>
    public MemoryPort(FramePool pool, int capacity = 1024, uint ifindex = 1, uint queue = 0)
    {
        (Pool, _ifindex, _queue) = (pool, ifindex, queue);
        _fill = new FrameRing(capacity);
        _receive = new FrameRing(capacity);
        _transmit = new FrameRing(capacity);
        _completion = new FrameRing(capacity);
        Refill();
    }

    /// <inheritdoc/>
    public FramePool Pool { get; }

    /// <inheritdoc/>
    public bool IsFinished => Volatile.Read(ref _isClosed) && _receive.Count == 0;

    /// <inheritdoc/>
    public bool KeepsFrames => true;

    /// <summary>From the other thread: puts a packet into the receive ring.</summary>
    /// <param name="packet">Its bytes, copied.</param>
    /// <param name="timestamp">When it was received, in nanoseconds since 1970; 0 for not known.</param>
    /// <returns>False, and nothing is done, when the ring is full or the worker has not provided a frame.</returns>
    /// <exception cref="ArgumentOutOfRangeException">It is longer than <see cref="FramePool.PacketCapacity"/>.</exception>
    public bool TryInject(ReadOnlySpan<byte> packet, ulong timestamp = 0)
    {
        XdpBuff* frame;
        if (_receive.Count == _receive.Capacity || _fill.Peek(&frame, 1) == 0 || !Pool.TryWrite(frame, packet))
        {
            return false;
        }
        _fill.Pop(&frame, 1);
        frame->IngressIfindex = _ifindex;
        frame->RxQueueIndex = _queue;
        frame->Sequence = _sequence++;
        frame->Timestamp = timestamp;
        return _receive.Push(&frame, 1) == 1;
    }

    /// <summary>From the other thread: takes the oldest packet from the transmit ring.</summary>
    /// <param name="buffer">Gets its bytes: room for the longest packet (<see cref="FramePool.PacketCapacity"/>).</param>
    /// <param name="length">Gets its length.</param>
    /// <returns>False when the ring is empty.</returns>
    public bool TryTake(Span<byte> buffer, out int length)
    {
        XdpBuff* frame;
        length = 0;
        if (_completion.Count == _completion.Capacity || _transmit.Pop(&frame, 1) == 0)
        {
            return false;
        }
        length = PacketBytes.CopyTo(frame, buffer);
        return _completion.Push(&frame, 1) == 1;
    }

    /// <summary>From the other thread: says that no more packets will be injected, so that the port finishes.</summary>
    public void Close() => Volatile.Write(ref _isClosed, true);

    /// <inheritdoc/>
    public int Receive(XdpBuff** packets, int max)
    {
        var count = _receive.Pop(packets, max);
        Refill();
        return count;
    }

    /// <inheritdoc/>
    public int PrefetchReady(int max)
    {
        var packets = stackalloc XdpBuff*[PacketVector.MaxCapacity];
        var count = _receive.Peek(packets, Math.Min(max, PacketVector.MaxCapacity));
        for (var i = 0; i < count; i++)
        {
            Prefetch.Read(packets[i]);
            Prefetch.Read(Pool.FreshData(packets[i]));
        }
        return count;
    }

    /// <inheritdoc/>
    public int Accept(XdpBuff** packets, int count) => _transmit.Push(packets, count);

    /// <inheritdoc/>
    public void Flush() { }

    /// <inheritdoc/>
    public void Reclaim()
    {
        var packets = stackalloc XdpBuff*[PacketVector.MaxCapacity];
        int count;
        while ((count = _completion.Pop(packets, PacketVector.MaxCapacity)) != 0)
        {
            Pool.Recycle(packets, count);
        }
    }

    /// <summary>Frees the rings; frames in them are lost to their pool.</summary>
    public void Dispose()
    {
        _fill.Dispose();
        _receive.Dispose();
        _transmit.Dispose();
        _completion.Dispose();
    }

    /// <summary>Keeps the fill ring full as far as the pool allows.</summary>
    private void Refill()
    {
        var packets = stackalloc XdpBuff*[PacketVector.MaxCapacity];
        int count;
        while (
            (count = Math.Min(_fill.Capacity - _fill.Count, PacketVector.MaxCapacity)) != 0
            && (count = Pool.Take(packets, count)) != 0
        )
        {
            _fill.Push(packets, count);
        }
    }
}
