using System.Runtime.InteropServices;

namespace RxStages.Bpf.Network;

/// <summary><c>struct bpf_sock</c> (<c>include/uapi/linux/bpf.h</c>): a socket as programs see it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct BpfSock
{
    // AF_INET, AF_INET6; SOCK_STREAM, SOCK_DGRAM; IPPROTO_TCP, IPPROTO_UDP
    public const uint FamilyIpv4 = 2;
    public const uint FamilyIpv6 = 10;
    public const uint TypeStream = 1;
    public const uint TypeDatagram = 2;
    public const uint ProtocolTcp = 6;
    public const uint ProtocolUdp = 17;

    public uint BoundInterface;
    public uint Family;
    public uint Type;
    public uint Protocol;
    public uint Mark;
    public uint Priority;
    public uint SourceIpv4;
    public fixed byte SourceIpv6[16];

    /// <summary>In host byte order.</summary>
    public uint SourcePort;

    /// <summary>In network byte order.</summary>
    public ushort DestinationPort;
    private readonly ushort _padding;
    public uint DestinationIpv4;
    public fixed byte DestinationIpv6[16];
    public uint State;

    /// <summary>-1: the queue is not known.</summary>
    public int RxQueueMapping;
}
