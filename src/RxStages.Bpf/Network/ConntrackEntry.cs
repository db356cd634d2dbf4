using System.Runtime.InteropServices;

namespace RxStages.Bpf.Network;

/// <summary>Addresses and ports of the packets of one direction, and their protocol.</summary>
/// <param name="Source">Where they are from.</param>
/// <param name="Destination">Where they go.</param>
/// <param name="Protocol"><c>IPPROTO_TCP</c> or <c>IPPROTO_UDP</c>.</param>
internal readonly record struct ConntrackTuple(Endpoint Source, Endpoint Destination, byte Protocol)
{
    /// <summary>That of the packets that come back.</summary>
    public ConntrackTuple Inverse => new(Destination, Source, Protocol);
}

/// <summary>Directions of a connection (<c>enum ip_conntrack_dir</c>).</summary>
internal enum ConntrackDirection
{
    /// <summary>That of the first packet.</summary>
    Original = 0,

    /// <summary>The other one.</summary>
    Reply = 1,
}

/// <summary>What is known of a connection (<c>enum ip_conntrack_status</c>).</summary>
[Flags]
internal enum ConntrackStatus : uint
{
    None = 0,
    Expected = 1 << 0,
    SeenReply = 1 << 1,
    Assured = 1 << 2,
    Confirmed = 1 << 3,
    SourceNat = 1 << 4,
    DestinationNat = 1 << 5,
    SequenceAdjust = 1 << 6,
    SourceNatDone = 1 << 7,
    DestinationNatDone = 1 << 8,
    Dying = 1 << 9,
    FixedTimeout = 1 << 10,
    Template = 1 << 11,
    Untracked = 1 << 12,
    Helper = 1 << 13,
    Offload = 1 << 14,
    HardwareOffload = 1 << 15,

    /// <summary>Bits that are known (<c>__IPS_MAX_BIT</c>).</summary>
    All = (1 << 16) - 1,

    /// <summary>Bits that requests from outside do not change (<c>IPS_UNCHANGEABLE_MASK</c>).</summary>
    Unchangeable =
        SourceNat
        | DestinationNat
        | SourceNatDone
        | DestinationNatDone
        | Expected
        | Confirmed
        | Dying
        | SequenceAdjust
        | Template
        | Untracked
        | Offload
        | HardwareOffload,
}

/// <summary>
/// An entry of the <see cref="ConntrackTable"/>, in native memory. Behind it comes the <c>struct nf_conn</c> that programs see.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ConntrackEntry
{
    /// <summary>Who holds it: programs, and the table once it was inserted. 0: it is free.</summary>
    public int References;

    /// <summary>Whether lookups find it.</summary>
    public bool IsInserted;

    /// <summary>What is known of it.</summary>
    public ConntrackStatus Status;

    /// <summary>When it ends, in jiffies; before it is inserted: how long after that.</summary>
    public uint Timeout;

    /// <summary>The zone that it belongs to.</summary>
    public ushort Zone;

    /// <summary>For which directions that zone counts, as bits; for the others it is zone 0.</summary>
    public byte ZoneDirections;

    public ConntrackTuple Original;
    public ConntrackTuple Reply;

    /// <summary>The next node of the hash bucket, for each direction; the next free entry.</summary>
    public int NextOriginal;
    public int NextReply;

    /// <summary>The zone of a direction (<c>nf_ct_zone_id</c>).</summary>
    public readonly ushort ZoneOf(ConntrackDirection direction) =>
        (ZoneDirections & (1 << (int)direction)) != 0 ? Zone : (ushort)0;
}
