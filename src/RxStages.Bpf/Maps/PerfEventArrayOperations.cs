using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>The native part of a perf event array.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct PerfEventArrayHeader
{
    internal MapHeader Map;

    /// <summary>Per index the address of a <see cref="PerfRing"/>, or 0 where nobody reads.</summary>
    internal nint* Rings;
}

/// <summary>Hot path of perf event arrays: <c>bpf_perf_event_output</c>.</summary>
internal readonly unsafe struct PerfEventArrayOperations : IMapOperations
{
    /// <summary><c>BPF_F_INDEX_MASK</c>; all ones are <c>BPF_F_CURRENT_CPU</c>.</summary>
    private const ulong IndexMask = uint.MaxValue;

    /// <summary><c>BPF_F_CTXLEN_MASK</c>: how many bytes of the packet are appended.</summary>
    private const ulong ContextLengthMask = 0xf_ffff_0000_0000;

    private const int ContextLengthShift = 32;

    public static byte* LookupElement(MapHeader* map, BpfRuntime* runtime, byte* key) => null;

    public static long UpdateElement(MapHeader* map, BpfRuntime* runtime, byte* key, byte* value, ulong flags) =>
        -Errno.EOPNOTSUPP;

    public static long DeleteElement(MapHeader* map, BpfRuntime* runtime, byte* key) => -Errno.EOPNOTSUPP;

    public static long Redirect(MapHeader* map, BpfRuntime* runtime, ulong key, ulong flags) => (long)XdpAction.Aborted;

    /// <summary><c>bpf_xdp_event_output</c></summary>
    internal static long Output(
        PerfEventArrayHeader* array,
        BpfRuntime* runtime,
        XdpBuff* packet,
        ulong flags,
        byte* data,
        ulong size
    )
    {
        if ((flags & ~(IndexMask | ContextLengthMask)) != 0)
        {
            return -Errno.EINVAL;
        }
        var packetSize = (uint)(flags >> ContextLengthShift);
        if (packetSize > packet->Length)
        {
            return -Errno.EFAULT;
        }
        var index = (uint)flags == uint.MaxValue ? (uint)runtime->Cpu : (uint)flags;
        if (index >= array->Map.MaxEntries)
        {
            return -Errno.E2BIG;
        }
        var ring = (PerfRing*)Volatile.Read(ref array->Rings[index]);
        if (ring is null)
        {
            return -Errno.ENOENT;
        }
        if (ring->Cpu != runtime->Cpu)
        {
            return -Errno.EOPNOTSUPP;
        }
        WordLock.Enter(&ring->Lock);
        var result = Write(ring, data, size, packet, packetSize);
        WordLock.Exit(&ring->Lock);
        return result;
    }

    private static long Write(PerfRing* ring, byte* data, ulong size, XdpBuff* packet, uint packetSize)
    {
        var all = size + packetSize;
        var record = PerfRecord.HeaderSize + ((sizeof(uint) + all + 7) & ~7ul);
        if (record > ushort.MaxValue)
        {
            return -Errno.E2BIG;
        }
        var lost = ring->Lost != 0 ? PerfRecord.LostSize : 0;
        var head = ring->Head;
        if (head + lost + record - Volatile.Read(ref ring->Tail) > ring->Mask)
        {
            ring->Lost++;
            return -Errno.ENOSPC;
        }
        if (lost != 0)
        {
            var losses = stackalloc ulong[3];
            *(PerfRecord*)losses = new PerfRecord { Type = PerfRecord.Lost, Size = (ushort)PerfRecord.LostSize };
            losses[2] = ring->Lost;
            Append(ring, ref head, (byte*)losses, PerfRecord.LostSize);
            ring->Lost = 0;
        }
        var sample = new PerfRecord { Type = PerfRecord.Sample, Size = (ushort)record };
        Append(ring, ref head, (byte*)&sample, PerfRecord.HeaderSize);
        var rawSize = (uint)(record - PerfRecord.HeaderSize - sizeof(uint));
        Append(ring, ref head, (byte*)&rawSize, sizeof(uint));
        Append(ring, ref head, data, (uint)size);
        var linear = Math.Min(packetSize, (uint)(packet->DataEnd - packet->Data));
        Append(ring, ref head, packet->Data, linear);
        Append(ring, ref head, packet->Fragments, packetSize - linear);
        ulong zeros = 0;
        Append(ring, ref head, (byte*)&zeros, rawSize - (uint)all);
        Volatile.Write(ref ring->Head, head);
        return 0;
    }

    private static void Append(PerfRing* ring, ref ulong head, byte* bytes, uint size)
    {
        var place = head & ring->Mask;
        var first = (uint)Math.Min(size, ring->Mask + 1 - place);
        Unsafe.CopyBlockUnaligned(ring->Data + place, bytes, first);
        Unsafe.CopyBlockUnaligned(ring->Data, bytes + first, size - first);
        head += size;
    }
}
