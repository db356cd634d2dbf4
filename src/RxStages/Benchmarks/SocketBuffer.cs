using System.Runtime.InteropServices;

namespace RxStages.Benchmarks;

/// <summary>A packet's header as a network stack keeps it: of the size of the kernel's <c>struct sk_buff</c>, with what it holds of a received packet.</summary>
[StructLayout(LayoutKind.Sequential, Size = Size)]
internal unsafe struct SocketBuffer
{
    /// <summary>Bytes in a <c>struct sk_buff</c>.</summary>
    public const int Size = 232;

    /// <summary>When it was received.</summary>
    public ulong Timestamp;

    /// <summary>The flow's hash.</summary>
    public ulong Hash;

    /// <summary>Where its bytes begin.</summary>
    public byte* Data;

    /// <summary>Its length.</summary>
    public uint Length;

    /// <summary>How much of it is not at <see cref="Data"/>.</summary>
    public uint FragmentsLength;

    /// <summary>The interface it came in by.</summary>
    public uint Ifindex;

    /// <summary>The receive queue it came in by.</summary>
    public uint Queue;

    /// <summary>Its EtherType.</summary>
    public ushort Protocol;

    /// <summary>Where the network header begins.</summary>
    public ushort NetworkHeader;

    /// <summary>Where the transport header begins.</summary>
    public ushort TransportHeader;

    /// <summary>What was found of its checksums.</summary>
    public byte Checksum;
}
