using RxStages.Bpf.Maps;

namespace RxStages.Linux.KernelBpf;

/// <summary>The consumer's side of a ring buffer in the kernel (<c>kernel/bpf/ringbuf.c</c>), mapped into the process.</summary>
public sealed unsafe class KernelRingbuf : IDisposable
{
    // struct bpf_ringbuf_hdr, enum: BPF_RINGBUF_*.
    private const uint BusyBit = 1u << 31;
    private const uint DiscardBit = 1u << 30;
    private const uint HeaderSize = 8;

    private readonly nuint _size;
    private readonly SharedMemory _consumer;
    private readonly SharedMemory _producer;

    /// <summary>Maps a ring buffer.</summary>
    /// <exception cref="KernelBpfException">The kernel refused.</exception>
    public KernelRingbuf(KernelMap map)
    {
        if (map.Spec.Type != Bpf.Objects.MapType.Ringbuf)
        {
            throw new ArgumentException($"{map.Spec.Name} is no ring buffer", nameof(map));
        }
        _size = map.Spec.MaxEntries;
        // The consumer's position may be written; the producer's, and the data behind it, which is there twice, may not.
        var page = (nuint)Environment.SystemPageSize;
        _consumer = new SharedMemory(map.Descriptor, page, 0, isWritable: true, $"the ring buffer {map.Spec.Name}");
        try
        {
            _producer = new SharedMemory(
                map.Descriptor,
                page + (2 * _size),
                page,
                isWritable: false,
                $"the ring buffer {map.Spec.Name}"
            );
        }
        catch
        {
            _consumer.Dispose();
            throw;
        }
    }

    /// <summary>Reads the records that were submitted, up to the first that is still open; those discarded are passed over.</summary>
    /// <returns>How many records were read.</returns>
    public int Consume(RingbufConsumer consumer)
    {
        var consumed = (ulong*)_consumer.Address;
        var produced = (ulong*)_producer.Address;
        var data = _producer.Address + Environment.SystemPageSize;
        var count = 0;
        var position = *consumed;
        while (position < Volatile.Read(ref *produced))
        {
            var record = data + (position & (_size - 1));
            var header = Volatile.Read(ref *(uint*)record);
            if ((header & BusyBit) != 0)
            {
                break;
            }
            var length = header & ~DiscardBit;
            if ((header & DiscardBit) == 0)
            {
                consumer(new ReadOnlySpan<byte>(record + HeaderSize, (int)length));
                count++;
            }
            position += (length + HeaderSize + 7) & ~7u;
            Volatile.Write(ref *consumed, position);
        }
        return count;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _consumer.Dispose();
        _producer.Dispose();
    }
}
