using System.Runtime.InteropServices;
using RxStages.Bpf.Maps;

namespace RxStages.Linux.KernelBpf;

/// <summary>The consumer's side of a ring buffer in the kernel (<c>kernel/bpf/ringbuf.c</c>), mapped into the process.</summary>
public sealed unsafe partial class KernelRingbuf : IDisposable
{
    private const int ProtectRead = 1;
    private const int ProtectWrite = 2;
    private const int MapShared = 1;

    // struct bpf_ringbuf_hdr, enum: BPF_RINGBUF_*.
    private const uint BusyBit = 1u << 31;
    private const uint DiscardBit = 1u << 30;
    private const uint HeaderSize = 8;

    private readonly nuint _size;
    private byte* _consumer;
    private byte* _producer;

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
        _consumer = Map(map, page, ProtectRead | ProtectWrite, 0);
        try
        {
            _producer = Map(map, page + (2 * _size), ProtectRead, (nint)page);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Reads the records that were submitted, up to the first that is still open; those discarded are passed over.</summary>
    /// <returns>How many records were read.</returns>
    public int Consume(RingbufConsumer consumer)
    {
        ObjectDisposedException.ThrowIf(_producer == null, this);
        var data = _producer + Environment.SystemPageSize;
        var count = 0;
        var position = *(ulong*)_consumer;
        while (position < Volatile.Read(ref *(ulong*)_producer))
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
            Volatile.Write(ref *(ulong*)_consumer, position);
        }
        return count;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        var page = (nuint)Environment.SystemPageSize;
        Unmap(ref _consumer, page);
        Unmap(ref _producer, page + (2 * _size));
    }

    private static byte* Map(KernelMap map, nuint size, int protection, nint offset)
    {
        var address = MapMemory(0, size, protection, MapShared, map.Descriptor.Number, offset);
        var error = Marshal.GetLastPInvokeError();
        GC.KeepAlive(map);
        return address != -1
            ? (byte*)address
            : throw new KernelBpfException($"map the ring buffer {map.Spec.Name}", error);
    }

    private static void Unmap(ref byte* address, nuint size)
    {
        if (address != null)
        {
            _ = UnmapMemory((nint)address, size);
            address = null;
        }
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint MapMemory(
        nint address,
        nuint size,
        int protection,
        int flags,
        int descriptor,
        nint offset
    );

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int UnmapMemory(nint address, nuint size);
}
