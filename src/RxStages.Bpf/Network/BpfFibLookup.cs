using System.Runtime.InteropServices;

namespace RxStages.Bpf.Network;

/// <summary><c>struct bpf_fib_lookup</c> (<c>include/uapi/linux/bpf.h</c>): a question to the routing tables, and the answer in its place.</summary>
[StructLayout(LayoutKind.Explicit, Size = Size)]
internal unsafe struct BpfFibLookup
{
    public const int Size = 64;

    /// <summary><c>AF_INET</c> or <c>AF_INET6</c>; an IPv4 route by an IPv6 gateway changes it.</summary>
    [FieldOffset(0)]
    public byte Family;

    [FieldOffset(1)]
    public byte L4Protocol;

    /// <summary>In: the packet's length from the IP header on. Out, in its place: the route's MTU.</summary>
    [FieldOffset(6)]
    public ushort TotalLength;

    /// <summary>In: the interface that the packet came in by, or leaves by. Out: the one it leaves by.</summary>
    [FieldOffset(8)]
    public uint Ifindex;

    /// <summary>In: the type of service (the first byte) or the flow label. Out: the route's metric.</summary>
    [FieldOffset(12)]
    public uint Metric;

    [FieldOffset(12)]
    public byte TypeOfService;

    /// <summary>16 bytes, of which IPv4 uses four.</summary>
    [FieldOffset(16)]
    public fixed byte Source[16];

    /// <summary>In: the destination. Out: the gateway, if there is one.</summary>
    [FieldOffset(32)]
    public fixed byte Destination[16];

    /// <summary>In: the table's number. Out, in its place: VLAN protocol and tag.</summary>
    [FieldOffset(48)]
    public uint Table;

    /// <summary>Out: the interface's link layer address. In, in its place: the packet's mark.</summary>
    [FieldOffset(52)]
    public fixed byte SourceHardware[6];

    /// <summary>Out: the neighbour's link layer address.</summary>
    [FieldOffset(58)]
    public fixed byte DestinationHardware[6];
}

/// <summary><c>BPF_FIB_LOOKUP_*</c></summary>
[Flags]
internal enum FibLookupFlags : uint
{
    None = 0,

    /// <summary>Ask one table, not the rules.</summary>
    Direct = 1,

    /// <summary>The packet leaves by the interface, instead of coming in by it.</summary>
    Output = 2,

    /// <summary>Do not look for the neighbour.</summary>
    SkipNeighbour = 4,

    /// <summary>With <see cref="Direct"/>: the table in the question, instead of the main one.</summary>
    TableId = 8,

    /// <summary>Choose the source address too.</summary>
    Source = 16,

    /// <summary>The question has a mark, for rules.</summary>
    Mark = 32,

    All = Direct | Output | SkipNeighbour | TableId | Source | Mark,
}

/// <summary><c>BPF_FIB_LKUP_RET_*</c></summary>
internal enum FibLookupResult
{
    Success,
    Blackhole,
    Unreachable,
    Prohibit,
    NotForwarded,
    ForwardingDisabled,
    UnsupportedEncapsulation,
    NoNeighbour,
    FragmentationNeeded,
    NoSourceAddress,
}
