using System.Runtime.ExceptionServices;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Runtime;
using RxStages.Captures;
using RxStages.Packets;

namespace RxStages.Ports;

/// <summary>
/// Receives the packets of a capture file. Of a packet that was cut when it was captured a program sees what there is. The
/// headroom is zero, as in the kernel's <c>BPF_PROG_TEST_RUN</c>, so that a replay does not depend on frames' earlier use.
/// </summary>
public sealed unsafe class CaptureReceivePort : IReceiveQueue
{
    private readonly CaptureReader _reader;
    private readonly uint _ifindex;
    private readonly uint _queue;
    private XdpBuff* _tooLarge;
    private ExceptionDispatchInfo? _error;
    private bool _isAtEnd;

    /// <summary>Makes a port of a capture.</summary>
    /// <param name="reader">The capture; not owned.</param>
    /// <param name="pool">Where frames come from, with at least one side buffer.</param>
    /// <param name="ifindex">The interface index that programs see.</param>
    /// <param name="queue">The receive queue that programs see.</param>
    public CaptureReceivePort(CaptureReader reader, FramePool pool, uint ifindex = 1, uint queue = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(pool.FragmentBuffers, 1, nameof(pool));
        (_reader, Pool, _ifindex, _queue) = (reader, pool, ifindex, queue);
    }

    /// <inheritdoc/>
    public FramePool Pool { get; }

    /// <inheritdoc/>
    public bool IsFinished => _isAtEnd && _tooLarge == null && _error is null;

    /// <inheritdoc/>
    /// <exception cref="InputException">The capture is broken here; the packets before have all been received.</exception>
    public int Receive(XdpBuff** packets, int max)
    {
        if (_tooLarge != null)
        {
            packets[0] = _tooLarge;
            _tooLarge = null;
            return IReceiveQueue.TooLarge;
        }
        if (_error is not null)
        {
            var error = _error;
            _error = null;
            error.Throw();
        }
        var count = 0;
        while (count < max && _tooLarge == null && TryReceive(out packets[count]))
        {
            count++;
        }
        return count != 0 || (_tooLarge == null && _error is null) ? count : Receive(packets, max);
    }

    /// <summary>Nothing to do: the bytes of a packet come into the cache when they are copied to its frame.</summary>
    public int PrefetchReady(int max) => 0;

    /// <summary>
    /// Reads the next packet into a frame. False at the end, at an error or a packet that is too large, which are kept for
    /// the next vector, and when no frame is to be had.
    /// </summary>
    private bool TryReceive(out XdpBuff* frame)
    {
        frame = null;
        if (_isAtEnd || Pool.FreeCount == 0 || Pool.IsOutOfSideBuffers || !TryRead(out var packet))
        {
            return false;
        }
        frame = Pool.Take();
        FramePool.ClearHeadroom(frame);
        var fits = packet.Data.Length <= Pool.PacketCapacity;
        Pool.TryWrite(frame, fits ? packet.Data : packet.Data[..Pool.LinearCapacity]);
        frame->ReceivedLength = (uint)packet.Data.Length;
        frame->OriginalLength = packet.OriginalLength;
        frame->IngressIfindex = _ifindex;
        frame->RxQueueIndex = _queue;
        frame->Sequence = (uint)packet.Index;
        frame->Timestamp = packet.Timestamp;
        frame->Origin = (uint)packet.Interface;
        if (!fits)
        {
            _tooLarge = frame;
        }
        return fits;
    }

    private bool TryRead(out CapturePacket packet)
    {
        try
        {
            _isAtEnd = !_reader.TryRead(out packet);
        }
        catch (InputException error)
        {
            packet = default;
            _error = ExceptionDispatchInfo.Capture(error);
            _isAtEnd = true;
        }
        return !_isAtEnd;
    }
}
