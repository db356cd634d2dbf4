using System.Runtime.InteropServices;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;

namespace RxStages.Linux.KernelBpf;

/// <summary>
/// The reader's side of one CPU's ring of a perf event array in the kernel (<c>perf_event_open(2)</c>), mapped into the
/// process.
/// </summary>
public sealed unsafe partial class KernelPerfRing : IDisposable
{
    // include/uapi/linux/perf_event.h.
    private const uint TypeSoftware = 1;
    private const uint SoftwareBpfOutput = 10;
    private const uint SampleRaw = 1 << 10;
    private const nuint OpenCloseOnExec = 8;
    private const nuint EnableRequest = 0x2400;
    private const uint RecordLost = 2;
    private const uint RecordSample = 9;
    private const int HeadOffset = 1024;
    private const int TailOffset = 1032;
    private const int RecordHeaderSize = 8;
    private const int LostCountOffset = 16;

    private readonly FileDescriptor _event;
    private readonly uint _index;
    private readonly ulong _size;
    private readonly SharedMemory? _memory;

    /// <summary>Opens a ring for a CPU, and puts it into the map at the index of that number.</summary>
    /// <param name="map">A perf event array.</param>
    /// <param name="cpu">The CPU.</param>
    /// <param name="pages">The ring's size in pages: a power of two.</param>
    /// <exception cref="KernelBpfException">The kernel refused.</exception>
    public KernelPerfRing(KernelMap map, int cpu, int pages = PerfEventArrayMap.DefaultPages)
    {
        if (map.Spec.Type != MapType.PerfEventArray)
        {
            throw new ArgumentException($"{map.Spec.Name} is no perf event array", nameof(map));
        }
        _index = (uint)cpu;
        _size = (ulong)pages * (ulong)Environment.SystemPageSize;
        _event = Open(map, cpu);
        try
        {
            // The first page is what reader and kernel tell each other (struct perf_event_mmap_page), the data is behind it.
            var size = (nuint)_size + (nuint)Environment.SystemPageSize;
            _memory = new SharedMemory(_event, size, 0, isWritable: true, "the ring of a perf event");
            var error = (int)Control(_event.Number, EnableRequest, 0);
            ThrowIf(error < 0, "enable a perf event", Marshal.GetLastPInvokeError());
            var result = map.Update(BitConverter.GetBytes(_index), BitConverter.GetBytes(_event.Number), 0);
            ThrowIf(result != 0, $"put a perf event into {map.Spec.Name}[{cpu}]", -result);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Reads all events that there are.</summary>
    /// <returns>How many were read.</returns>
    public int Consume(PerfEventConsumer consumer)
    {
        var ring = _memory!.Address;
        var count = 0;
        ulong lost = 0;
        var head = Volatile.Read(ref *(ulong*)(ring + HeadOffset));
        var tail = *(ulong*)(ring + TailOffset);
        // struct perf_event_header: type, misc, size.
        Span<byte> header = stackalloc byte[RecordHeaderSize];
        while (tail != head)
        {
            Copy(tail, header);
            var record = new byte[MemoryMarshal.Read<ushort>(header[6..])];
            Copy(tail, record);
            switch (MemoryMarshal.Read<uint>(header))
            {
                case RecordLost:
                    lost = MemoryMarshal.Read<ulong>(record.AsSpan(LostCountOffset));
                    break;
                case RecordSample:
                    consumer(_index, record.AsSpan(RecordHeaderSize + sizeof(uint)), lost);
                    lost = 0;
                    count++;
                    break;
            }
            tail += (ulong)record.Length;
            Volatile.Write(ref *(ulong*)(ring + TailOffset), tail);
        }
        return count;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _memory?.Dispose();
        _event.Dispose();
    }

    private static FileDescriptor Open(KernelMap map, int cpu)
    {
        var attributes = new PerfEventAttributes
        {
            Type = TypeSoftware,
            Size = (uint)sizeof(PerfEventAttributes),
            Config = SoftwareBpfOutput,
            SamplePeriod = 1,
            SampleType = SampleRaw,
            WakeupEvents = 1,
        };
        var descriptor = (int)SystemCall(Number, (nint)(&attributes), -1, cpu, -1, OpenCloseOnExec);
        ThrowIf(descriptor < 0, $"open a perf event for {map.Spec.Name}[{cpu}]", Marshal.GetLastPInvokeError());
        return new FileDescriptor(descriptor);
    }

    private void Copy(ulong position, Span<byte> to)
    {
        var data = _memory!.Address + Environment.SystemPageSize;
        var place = position & (_size - 1);
        var first = (int)Math.Min((ulong)to.Length, _size - place);
        new ReadOnlySpan<byte>(data + place, first).CopyTo(to);
        new ReadOnlySpan<byte>(data, to.Length - first).CopyTo(to[first..]);
    }

    private static void ThrowIf(bool failed, string action, int error)
    {
        if (failed)
        {
            throw new KernelBpfException(action, error);
        }
    }

    // asm/unistd.h.
    private static nint Number =>
        RuntimeInformation.ProcessArchitecture switch
        {
            Architecture.X64 => 298,
            Architecture.Arm64 => 241,
            var other => throw new PlatformNotSupportedException($"no number known for perf_event_open() on {other}"),
        };

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SystemCall(
        nint number,
        nint attributes,
        nint process,
        nint cpu,
        nint group,
        nuint flags
    );

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial nint Control(int descriptor, nuint request, nint argument);

    // struct perf_event_attr as it was first (PERF_ATTR_SIZE_VER0).
    [StructLayout(LayoutKind.Sequential)]
    private struct PerfEventAttributes
    {
        public uint Type;
        public uint Size;
        public ulong Config;
        public ulong SamplePeriod;
        public ulong SampleType;
        public ulong ReadFormat;
        public ulong Flags;
        public uint WakeupEvents;
        public uint BreakpointType;
        public ulong BreakpointAddress;
    }
}
