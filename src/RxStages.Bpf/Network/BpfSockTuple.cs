using System.Buffers.Binary;

namespace RxStages.Bpf.Network;

/// <summary><c>struct bpf_sock_tuple</c> (<c>include/uapi/linux/bpf.h</c>): addresses and ports of a packet, in network byte order.</summary>
internal readonly unsafe struct BpfSockTuple
{
    /// <summary>Bytes of one with IPv4 addresses.</summary>
    public const uint Ipv4Size = 12;

    /// <summary>Bytes of one with IPv6 addresses.</summary>
    public const uint Ipv6Size = 36;

    private BpfSockTuple(Endpoint source, Endpoint destination)
    {
        Source = source;
        Destination = destination;
    }

    /// <summary>Where the packet is from.</summary>
    public Endpoint Source { get; }

    /// <summary>Where it goes.</summary>
    public Endpoint Destination { get; }

    /// <summary>Reads a tuple; its size says of which family it is.</summary>
    /// <returns>False for any other size.</returns>
    public static bool TryRead(byte* bytes, uint size, out BpfSockTuple tuple)
    {
        tuple = default;
        if (size is not (Ipv4Size or Ipv6Size))
        {
            return false;
        }
        var isIpv6 = size == Ipv6Size;
        var length = isIpv6 ? 16 : 4;
        var ports = new ReadOnlySpan<byte>(bytes + (2 * length), 4);
        tuple = new(
            new(NetworkAddress.Read(bytes, isIpv6), BinaryPrimitives.ReadUInt16BigEndian(ports)),
            new(NetworkAddress.Read(bytes + length, isIpv6), BinaryPrimitives.ReadUInt16BigEndian(ports[2..]))
        );
        return true;
    }
}
