using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>Flags of what submits a record, and what can be asked of a ring buffer, as in the kernel's <c>bpf.h</c>.</summary>
public static class RingbufFlags
{
    /// <summary><c>BPF_RB_NO_WAKEUP</c></summary>
    public const ulong NoWakeup = 1;

    /// <summary><c>BPF_RB_FORCE_WAKEUP</c></summary>
    public const ulong ForceWakeup = 2;

    /// <summary><c>BPF_RB_AVAIL_DATA</c></summary>
    public const ulong AvailableData = 0;

    /// <summary><c>BPF_RB_RING_SIZE</c></summary>
    public const ulong RingSize = 1;

    /// <summary><c>BPF_RB_CONS_POS</c></summary>
    public const ulong ConsumerPosition = 2;

    /// <summary><c>BPF_RB_PROD_POS</c></summary>
    public const ulong ProducerPosition = 3;
}

/// <summary>
/// Hot path of ring buffers (kernel/bpf/ringbuf.c): any number of producers, who hold a lock only while they reserve. The
/// consumer polls, so that flags about waking it have no effect.
/// </summary>
internal readonly unsafe struct RingbufOperations : IMapOperations
{
    public static byte* LookupElement(MapHeader* map, BpfRuntime* runtime, byte* key) => null;

    public static long UpdateElement(MapHeader* map, BpfRuntime* runtime, byte* key, byte* value, ulong flags) =>
        -Errno.ENOTSUPP;

    public static long DeleteElement(MapHeader* map, BpfRuntime* runtime, byte* key) => -Errno.ENOTSUPP;

    public static long Redirect(MapHeader* map, BpfRuntime* runtime, ulong key, ulong flags) => (long)XdpAction.Aborted;

    /// <summary>Reserves a record: the address behind its header, or null where there is no room.</summary>
    internal static byte* Reserve(RingbufHeader* ring, ulong length)
    {
        if (length > RingbufRecord.MaxLength)
        {
            return null;
        }
        var space = RingbufRecord.Space((uint)length);
        if (space > ring->Mask + 1)
        {
            return null;
        }
        var consumed = Volatile.Read(ref ring->ConsumerPosition);
        WordLock.Enter(&ring->Lock);
        var start = ring->ProducerPosition;
        var end = start + space;
        var pending = SkipFinished(ring, start);
        ring->PendingPosition = pending;
        byte* record = null;
        // Neither what was not consumed nor the span from the oldest open record on may fill the ring.
        if (end - consumed <= ring->Mask && end - pending <= ring->Mask)
        {
            var header = Record(ring, start);
            header->PageOffset = (uint)(((byte*)header - (byte*)ring) / RingbufHeader.PageSize);
            header->Length = (uint)length | RingbufRecord.BusyBit;
            Volatile.Write(ref ring->ProducerPosition, end);
            record = (byte*)header + RingbufRecord.Size;
        }
        WordLock.Exit(&ring->Lock);
        return record;
    }

    /// <summary>Submits or discards a record that was reserved.</summary>
    internal static void Commit(byte* record, bool discard)
    {
        var header = (RingbufRecord*)(record - RingbufRecord.Size);
        var length = header->Length & ~RingbufRecord.BusyBit;
        Volatile.Write(ref header->Length, discard ? length | RingbufRecord.DiscardBit : length);
    }

    /// <summary><c>bpf_ringbuf_output</c></summary>
    internal static long Output(RingbufHeader* ring, byte* data, ulong length, ulong flags)
    {
        if ((flags & ~(RingbufFlags.NoWakeup | RingbufFlags.ForceWakeup)) != 0)
        {
            return -Errno.EINVAL;
        }
        var record = Reserve(ring, length);
        if (record is null)
        {
            return -Errno.EAGAIN;
        }
        Buffer.MemoryCopy(data, record, length, length);
        Commit(record, discard: false);
        return 0;
    }

    /// <summary><c>bpf_ringbuf_query</c></summary>
    internal static ulong Query(RingbufHeader* ring, ulong what) =>
        what switch
        {
            RingbufFlags.AvailableData => Volatile.Read(ref ring->ProducerPosition)
                - Volatile.Read(ref ring->ConsumerPosition),
            RingbufFlags.RingSize => ring->Mask + 1,
            RingbufFlags.ConsumerPosition => Volatile.Read(ref ring->ConsumerPosition),
            RingbufFlags.ProducerPosition => Volatile.Read(ref ring->ProducerPosition),
            _ => 0,
        };

    /// <summary>The header of the record at a position.</summary>
    internal static RingbufRecord* Record(RingbufHeader* ring, ulong position) =>
        (RingbufRecord*)(RingbufHeader.Data(ring) + (position & ring->Mask));

    private static ulong SkipFinished(RingbufHeader* ring, ulong end)
    {
        var position = ring->PendingPosition;
        while (position < end)
        {
            var length = Volatile.Read(ref Record(ring, position)->Length);
            if ((length & RingbufRecord.BusyBit) != 0)
            {
                break;
            }
            position += RingbufRecord.Space(length);
        }
        return position;
    }
}
