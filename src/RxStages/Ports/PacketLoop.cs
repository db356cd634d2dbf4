using RxStages.Bpf.Runtime;
using RxStages.Packets;

namespace RxStages.Ports;

/// <summary>Where the packets of a <see cref="PacketLoop"/> are when they are received.</summary>
public enum PacketTemperature
{
    /// <summary>In the cache: each is copied into a frame that was used just before, as network cards with direct cache access do.</summary>
    Warm,

    /// <summary>In memory: each has lain in a frame of its own since <see cref="PacketLoop.Rewind"/>.</summary>
    Cold,
}

/// <summary>
/// Gives out prepared packets, for benchmarks: each pass (to be begun with <see cref="Rewind"/>) gives the same packets, all
/// of them ready at once, in their original state.
/// </summary>
public sealed unsafe class PacketLoop : IReceiveQueue
{
    private readonly byte[][] _packets;
    private readonly PacketTemperature _temperature;
    private readonly uint _ifindex;
    private readonly nint[] _frames;
    private int _next;

    /// <summary>Prepares packets; the first pass has begun.</summary>
    /// <param name="pool">
    /// Where frames come from. For <see cref="PacketTemperature.Cold"/> each packet has one: to be cold, the frames have to be
    /// more than the caches hold.
    /// </param>
    /// <param name="packets">The packets, each at most <see cref="FramePool.LinearCapacity"/> bytes.</param>
    /// <param name="temperature">Whether they are in the cache when they are received.</param>
    /// <param name="ifindex">The interface index that they came in by.</param>
    /// <exception cref="ArgumentException">A packet is too long.</exception>
    /// <exception cref="InvalidOperationException">The pool does not have a frame for every cold packet.</exception>
    public PacketLoop(
        FramePool pool,
        IEnumerable<byte[]> packets,
        PacketTemperature temperature = PacketTemperature.Warm,
        uint ifindex = 1
    )
    {
        (Pool, _packets, _temperature, _ifindex) = (pool, [.. packets], temperature, ifindex);
        if (Array.Exists(_packets, packet => packet.Length > pool.LinearCapacity))
        {
            throw new ArgumentException($"a packet is longer than {pool.LinearCapacity} bytes", nameof(packets));
        }
        _frames = temperature == PacketTemperature.Cold ? new nint[_packets.Length] : [];
        _next = _packets.Length;
        Rewind();
    }

    /// <inheritdoc/>
    public FramePool Pool { get; }

    /// <summary>True at the end of a pass.</summary>
    public bool IsFinished => _next == _packets.Length;

    /// <summary>
    /// Begins a new pass, when the frames of the last are recycled. Not part of what a benchmark measures: cold packets are
    /// written here.
    /// </summary>
    /// <exception cref="InvalidOperationException">The pool does not have a frame for every packet.</exception>
    public void Rewind()
    {
        if (_temperature == PacketTemperature.Cold)
        {
            WriteGivenPackets();
        }
        _next = 0;
    }

    /// <inheritdoc/>
    public int Receive(XdpBuff** packets, int max)
    {
        max = Math.Min(max, _packets.Length - _next);
        var count = _temperature == PacketTemperature.Cold ? ReceiveCold(packets, max) : ReceiveWarm(packets, max);
        _next += count;
        return count;
    }

    /// <inheritdoc/>
    public int PrefetchReady(int max)
    {
        if (_temperature == PacketTemperature.Warm)
        {
            return 0;
        }
        max = Math.Min(max, _packets.Length - _next);
        for (var i = 0; i < max; i++)
        {
            var frame = (XdpBuff*)_frames[_next + i];
            Prefetch.Read(frame);
            Prefetch.Read(Pool.FreshData(frame));
        }
        return max;
    }

    private int ReceiveCold(XdpBuff** packets, int count)
    {
        for (var i = 0; i < count; i++)
        {
            packets[i] = (XdpBuff*)_frames[_next + i];
        }
        return count;
    }

    private int ReceiveWarm(XdpBuff** packets, int count)
    {
        count = Pool.Take(packets, count);
        for (var i = 0; i < count; i++)
        {
            Write(packets[i], _next + i);
        }
        return count;
    }

    /// <summary>Takes a frame for each packet that was given out, and writes the packet into it.</summary>
    private void WriteGivenPackets()
    {
        fixed (nint* frames = _frames)
        {
            var taken = Pool.Take((XdpBuff**)frames, _next);
            if (taken < _next)
            {
                Pool.Recycle((XdpBuff**)frames, taken);
                throw new InvalidOperationException(
                    $"the pool has {taken} frames free of the {_next} that cold packets need"
                );
            }
        }
        for (var i = 0; i < _next; i++)
        {
            Write((XdpBuff*)_frames[i], i);
        }
    }

    private void Write(XdpBuff* frame, int index)
    {
        Pool.TryWrite(frame, _packets[index]);
        frame->IngressIfindex = _ifindex;
        frame->RxQueueIndex = 0;
        frame->Sequence = (uint)index;
        frame->Timestamp = 0;
    }
}
