using System.Runtime.InteropServices;

namespace RxStages.Bpf.Maps;

/// <summary>
/// The ring of one perf event, with records as the kernel writes them (kernel/events/ring_buffer.c): samples with raw data
/// alone, and records that say how many were lost before.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct PerfRing
{
    /// <summary>The CPU that the event counts on: only there it takes records.</summary>
    internal int Cpu;

    /// <summary>Held by who writes: one worker as a rule.</summary>
    internal int Lock;

    /// <summary>The data's size less one.</summary>
    internal ulong Mask;

    /// <summary>The data.</summary>
    internal byte* Data;

    /// <summary>Up to where records were written.</summary>
    internal ulong Head;

    /// <summary>Up to where they were read.</summary>
    internal ulong Tail;

    /// <summary>How many were lost since the last one written.</summary>
    internal ulong Lost;
}

/// <summary>What is in front of each record (<c>struct perf_event_header</c>).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PerfRecord
{
    internal uint Type;
    internal ushort Misc;

    /// <summary>Bytes of the record with this header: a multiple of 8.</summary>
    internal ushort Size;

    /// <summary><c>PERF_RECORD_LOST</c>: an identity and a count, 8 bytes each, follow.</summary>
    internal const uint Lost = 2;

    /// <summary><c>PERF_RECORD_SAMPLE</c>: here the size of the data in 4 bytes and the data follow.</summary>
    internal const uint Sample = 9;

    /// <summary>Bytes in this structure.</summary>
    internal const uint HeaderSize = 8;

    /// <summary>Bytes in a record of what was lost.</summary>
    internal const uint LostSize = 24;
}
