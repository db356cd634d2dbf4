using System.Buffers.Binary;

namespace RxStages.Benchmarks;

/// <summary>What was found of a packet's checksums.</summary>
internal enum ChecksumState
{
    /// <summary>There is none that could be checked: not TCP or UDP over IP, cut, a fragment, or UDP without one.</summary>
    None,

    /// <summary>All are right.</summary>
    Right,

    /// <summary>One is wrong.</summary>
    Wrong,
}

/// <summary>
/// The headers of a packet: Ethernet, up to two VLAN tags, IPv4 or IPv6 with extension headers, TCP or UDP. Offsets are from
/// the packet's first byte, 0 where there is no such header.
/// </summary>
internal ref struct PacketHeaders
{
    private const int EthernetLength = 14;
    private const int VlanLength = 4;
    private const int MaxVlans = 2;
    private const int IPv6Length = 40;
    private const int MaxExtensions = 8;
    private const byte Tcp = 6;
    private const byte Udp = 17;

    private readonly ReadOnlySpan<byte> _packet;

    /// <summary>The EtherType behind all tags.</summary>
    public ushort Protocol { get; private set; }

    /// <summary>Where the IP header begins.</summary>
    public int Network { get; private set; }

    /// <summary>Where the TCP or UDP header begins.</summary>
    public int Transport { get; private set; }

    /// <summary>A hash over addresses and ports.</summary>
    public ulong FlowHash { get; private set; }

    /// <summary>What was found of the checksums.</summary>
    public ChecksumState Checksum { get; private set; }

    /// <summary>Parses a packet and checks its checksums.</summary>
    public PacketHeaders(ReadOnlySpan<byte> packet)
    {
        _packet = packet;
        var offset = EthernetLength - 2;
        for (var tags = 0; packet.Length >= offset + 2; tags++, offset += VlanLength)
        {
            Protocol = BinaryPrimitives.ReadUInt16BigEndian(packet[offset..]);
            if (tags == MaxVlans || Protocol is not (0x8100 or 0x88a8))
            {
                ParseNetwork(offset + 2);
                return;
            }
        }
    }

    private void ParseNetwork(int offset)
    {
        var header = _packet[offset..];
        if (Protocol == 0x0800 && header.Length >= 20 && header[0] >> 4 == 4)
        {
            ParseIPv4(header, offset);
        }
        else if (Protocol == 0x86dd && header.Length >= IPv6Length && header[0] >> 4 == 6)
        {
            ParseIPv6(header, offset);
        }
    }

    private void ParseIPv4(ReadOnlySpan<byte> header, int offset)
    {
        var headerLength = (header[0] & 0xf) * 4;
        var totalLength = BinaryPrimitives.ReadUInt16BigEndian(header[2..]);
        if (headerLength < 20 || totalLength < headerLength || totalLength > header.Length)
        {
            return;
        }
        Network = offset;
        if (!InternetChecksum.IsIntact(InternetChecksum.Add(0, header[..headerLength])))
        {
            Checksum = ChecksumState.Wrong;
            return;
        }
        var isFragment = (BinaryPrimitives.ReadUInt16BigEndian(header[6..]) & 0x3fff) != 0;
        if (!isFragment)
        {
            ParseTransport(header[12..20], header[9], header[headerLength..totalLength], offset + headerLength);
        }
    }

    private void ParseIPv6(ReadOnlySpan<byte> header, int offset)
    {
        var end = IPv6Length + BinaryPrimitives.ReadUInt16BigEndian(header[4..]);
        if (end > header.Length)
        {
            return;
        }
        Network = offset;
        var next = header[6];
        var at = IPv6Length;
        // Hop-by-hop options, routing, destination options (RFC 8200, section 4): each has its length in units of 8 bytes.
        for (var i = 0; i < MaxExtensions && next is 0 or 43 or 60 && at + 8 <= end; i++)
        {
            next = header[at];
            at += 8 + (header[at + 1] * 8);
        }
        if (at <= end)
        {
            ParseTransport(header[8..40], next, header[at..end], offset + at);
        }
    }

    private void ParseTransport(ReadOnlySpan<byte> addresses, byte protocol, ReadOnlySpan<byte> segment, int offset)
    {
        if (!(protocol == Tcp && segment.Length >= 20) && !(protocol == Udp && segment.Length >= 8))
        {
            return;
        }
        Transport = offset;
        FlowHash = Hash(addresses, segment[..4]);
        if (protocol == Udp && segment[6] == 0 && segment[7] == 0)
        {
            return;
        }
        Span<byte> rest = stackalloc byte[8];
        BinaryPrimitives.WriteInt32BigEndian(rest, segment.Length);
        BinaryPrimitives.WriteInt32BigEndian(rest[4..], protocol);
        var sum = InternetChecksum.Add(InternetChecksum.Add(0, addresses), rest);
        Checksum = InternetChecksum.IsIntact(InternetChecksum.Add(sum, segment))
            ? ChecksumState.Right
            : ChecksumState.Wrong;
    }

    private static ulong Hash(ReadOnlySpan<byte> addresses, ReadOnlySpan<byte> ports)
    {
        ulong hash = BinaryPrimitives.ReadUInt32LittleEndian(ports);
        for (var i = 0; i < addresses.Length; i += 4)
        {
            hash = (hash ^ BinaryPrimitives.ReadUInt32LittleEndian(addresses[i..])) * 0x9e3779b97f4a7c15;
            hash ^= hash >> 29;
        }
        return hash;
    }
}
