using System.Numerics;
using System.Runtime.InteropServices;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// Takes an event: the index of the ring that it was in, its data as the program gave it (rounded up so that 4 bytes more are
/// a multiple of 8, with zeros, and good for the call), and how many events were lost before it.
/// </summary>
public delegate void PerfEventConsumer(uint index, ReadOnlySpan<byte> data, ulong lost);

/// <summary>
/// A live perf event array (kernel/bpf/arraymap.c, kernel/trace/bpf_trace.c), with its reader's side. As in the kernel an
/// index without a reader answers ENOENT to programs: <see cref="Open"/> stands for what a reader does there with
/// <c>perf_event_open</c>, <c>mmap</c> and an update of the map.
/// </summary>
public sealed unsafe class PerfEventArrayMap : NativeMap
{
    /// <summary>The pages of a ring where its reader does not say how many.</summary>
    public const int DefaultPages = 64;

    private const int PageSize = 4096;
    private const int MaxPages = 1 << 16;

    private readonly PerfEventArrayHeader* _header;

    // Rings live as long as the map: a worker may be writing to one that is being closed.
    private readonly Dictionary<nint, byte[]> _rings = [];
    private readonly Dictionary<uint, nint> _byIndex = [];
    private readonly Lock _lock = new();

    internal PerfEventArrayMap(MapSpec spec, MapOptions options)
        : base(spec, options)
    {
        _header = Memory.Reserve<PerfEventArrayHeader>();
        _header->Rings = (nint*)Memory.Reserve((UInt128)spec.MaxEntries * (uint)sizeof(nint));
        Operations = Initialize<PerfEventArrayOperations>(&_header->Map);
    }

    /// <inheritdoc/>
    public override MapHeader* Header => &_header->Map;

    /// <inheritdoc/>
    public override Type Operations { get; }

    /// <summary>
    /// Opens a ring for an index, which takes the events that programs write there; one that was open stays as it is.
    /// </summary>
    /// <param name="index">Below the number of entries.</param>
    /// <param name="cpu">The CPU whose events it takes, from others they are refused (EOPNOTSUPP); -1: that of the index.</param>
    /// <param name="pages">The ring's size in pages of 4 KiB: a power of two, up to 65536.</param>
    /// <exception cref="Errors.InputException">The map's memory limit is reached.</exception>
    public void Open(uint index, int cpu = -1, int pages = DefaultPages)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Spec.MaxEntries);
        ArgumentOutOfRangeException.ThrowIfLessThan(pages, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(pages, MaxPages);
        if (!BitOperations.IsPow2(pages))
        {
            throw new ArgumentException($"{pages} is not a power of two", nameof(pages));
        }
        lock (_lock)
        {
            if (_header->Rings[index] != 0)
            {
                return;
            }
            if (
                !_byIndex.TryGetValue(index, out var address)
                || ((PerfRing*)address)->Mask + 1 != (ulong)pages * PageSize
            )
            {
                var made = Memory.Reserve<PerfRing>();
                made->Data = Memory.Reserve((UInt128)pages * PageSize);
                made->Mask = ((ulong)pages * PageSize) - 1;
                address = (nint)made;
                _byIndex[index] = address;
                _rings.Add(address, new byte[ushort.MaxValue]);
            }
            ((PerfRing*)address)->Cpu = cpu < 0 ? (int)index : cpu;
            Volatile.Write(ref _header->Rings[index], address);
        }
    }

    /// <summary>Opens a ring for every CPU that the map has an index for.</summary>
    /// <exception cref="Errors.InputException">The map's memory limit is reached.</exception>
    public void OpenAll(int pages = DefaultPages)
    {
        for (var cpu = 0u; cpu < Math.Min(Spec.MaxEntries, (uint)CpuCount); cpu++)
        {
            Open(cpu, pages: pages);
        }
    }

    /// <summary>Reads all events that there are, ring after ring, in the order in which they were written. Any thread; one at a time reads.</summary>
    /// <returns>How many were read.</returns>
    public int Consume(PerfEventConsumer consumer)
    {
        lock (_lock)
        {
            var count = 0;
            foreach (var (index, address) in _byIndex)
            {
                count += Consume(index, (PerfRing*)address, _rings[address], consumer);
            }
            return count;
        }
    }

    internal override int Read(ReadOnlySpan<byte> key, Span<byte> value, ulong flags) => -Errno.ENOTSUPP;

    /// <summary>No number is the descriptor of a perf event here: <see cref="Open"/> makes them.</summary>
    internal override int Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags) =>
        flags != UpdateFlags.Any ? -Errno.EINVAL
        : MemoryMarshal.Read<uint>(key) >= Spec.MaxEntries ? -Errno.E2BIG
        : -Errno.EBADF;

    /// <summary>Closes the ring of an index; what it holds can still be read.</summary>
    internal override int Remove(ReadOnlySpan<byte> key) =>
        DescriptorArray.Remove(_header->Rings, Spec.MaxEntries, key);

    internal override int Next(ReadOnlySpan<byte> key, Span<byte> next) => IndexKeys.Next(key, next, Spec.MaxEntries);

    private static int Consume(uint index, PerfRing* ring, byte[] record, PerfEventConsumer consumer)
    {
        var count = 0;
        ulong lost = 0;
        var head = Volatile.Read(ref ring->Head);
        while (ring->Tail != head)
        {
            PerfRecord header;
            Copy(ring, ring->Tail, new Span<byte>(&header, sizeof(PerfRecord)));
            var bytes = record.AsSpan(0, header.Size);
            Copy(ring, ring->Tail, bytes);
            if (header.Type == PerfRecord.Lost)
            {
                lost = MemoryMarshal.Read<ulong>(bytes[16..]);
            }
            else
            {
                consumer(index, bytes[(int)(PerfRecord.HeaderSize + sizeof(uint))..], lost);
                lost = 0;
                count++;
            }
            Volatile.Write(ref ring->Tail, ring->Tail + header.Size);
        }
        return count;
    }

    private static void Copy(PerfRing* ring, ulong position, Span<byte> to)
    {
        var place = (int)(position & ring->Mask);
        var first = (int)Math.Min((ulong)to.Length, ring->Mask + 1 - (ulong)place);
        new ReadOnlySpan<byte>(ring->Data + place, first).CopyTo(to);
        new ReadOnlySpan<byte>(ring->Data, to.Length - first).CopyTo(to[first..]);
    }
}
