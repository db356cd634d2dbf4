using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>Takes a record of a ring buffer; the bytes are good for the call.</summary>
public delegate void RingbufConsumer(ReadOnlySpan<byte> record);

/// <summary>A live ring buffer (kernel/bpf/ringbuf.c), with its consumer's side: what a process would map and read.</summary>
public sealed unsafe class RingbufMap : NativeMap
{
    private readonly RingbufHeader* _header;
    private readonly Lock _consuming = new();

    internal RingbufMap(MapSpec spec, MapOptions options)
        : base(spec, options)
    {
        // The last record may reach beyond the end by less than its own size, and no record is larger than the ring.
        var memory = Memory.Reserve((2 * (UInt128)spec.MaxEntries) + (2 * RingbufHeader.PageSize));
        _header = (RingbufHeader*)(((nuint)memory + RingbufHeader.PageSize - 1) & ~(nuint)(RingbufHeader.PageSize - 1));
        _header->Mask = spec.MaxEntries - 1;
        Operations = Initialize<RingbufOperations>(&_header->Map);
    }

    /// <inheritdoc/>
    public override MapHeader* Header => &_header->Map;

    /// <inheritdoc/>
    public override Type Operations { get; }

    /// <summary>
    /// Reads the records that were submitted, in the order in which they were reserved, up to the first that is still open;
    /// those discarded are passed over. Programs may go on producing meanwhile. Any thread; one at a time reads.
    /// </summary>
    /// <returns>How many records were read.</returns>
    public int Consume(RingbufConsumer consumer, int most = int.MaxValue)
    {
        lock (_consuming)
        {
            var count = 0;
            var position = _header->ConsumerPosition;
            while (count < most && position < Volatile.Read(ref _header->ProducerPosition))
            {
                var record = RingbufOperations.Record(_header, position);
                var length = Volatile.Read(ref record->Length);
                if ((length & RingbufRecord.BusyBit) != 0)
                {
                    break;
                }
                if ((length & RingbufRecord.DiscardBit) == 0)
                {
                    consumer(new ReadOnlySpan<byte>((byte*)record + RingbufRecord.Size, (int)length));
                    count++;
                }
                position += RingbufRecord.Space(length);
                Volatile.Write(ref _header->ConsumerPosition, position);
            }
            return count;
        }
    }

    /// <summary>True for bytes inside of one record that is reserved: what a program may still write.</summary>
    public override bool ContainsValue(byte* address, int size)
    {
        if (address < RingbufHeader.Data(_header) || size < 0)
        {
            return false;
        }
        var end = Volatile.Read(ref _header->ProducerPosition);
        for (var position = _header->PendingPosition; position < end; )
        {
            var record = RingbufOperations.Record(_header, position);
            var length = Volatile.Read(ref record->Length);
            var offset = (nuint)(address - ((byte*)record + RingbufRecord.Size));
            if ((length & RingbufRecord.BusyBit) != 0 && offset + (nuint)size <= (length & ~RingbufRecord.BusyBit))
            {
                return address >= (byte*)record + RingbufRecord.Size;
            }
            position += RingbufRecord.Space(length);
        }
        return false;
    }

    internal override int Read(ReadOnlySpan<byte> key, Span<byte> value, ulong flags) => -Errno.ENOTSUPP;

    internal override int Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags) => -Errno.ENOTSUPP;

    internal override int Remove(ReadOnlySpan<byte> key) => -Errno.ENOTSUPP;

    internal override int Next(ReadOnlySpan<byte> key, Span<byte> next) => -Errno.ENOTSUPP;
}
