using System.Net;
using System.Net.Sockets;

namespace RxStages.TrafficGenerator.Packets;

/// <summary>IPv4 and IPv6 packets.</summary>
public static class IP
{
    /// <summary>Protocol number of ICMP.</summary>
    public const byte Icmp = 1;

    /// <summary>Protocol number of TCP.</summary>
    public const byte Tcp = 6;

    /// <summary>Protocol number of UDP.</summary>
    public const byte Udp = 17;

    /// <summary>Next-header number of the fragment header.</summary>
    public const byte Fragment = 44;

    /// <summary>Protocol number of ICMPv6.</summary>
    public const byte IcmpV6 = 58;

    /// <summary>Next-header number of destination options.</summary>
    public const byte DestinationOptions = 60;

    /// <summary>IPv4's flag "do not fragment", with the fragment offset 0.</summary>
    public const ushort DoNotFragment = 0x4000;

    /// <summary>IPv4's flag "more fragments"; the rest of the field is the offset in units of 8 bytes.</summary>
    public const ushort MoreFragments = 0x2000;

    /// <summary>A packet of the addresses' version.</summary>
    public static byte[] Packet(
        IPAddress source,
        IPAddress destination,
        byte protocol,
        ReadOnlySpan<byte> payload,
        byte hopLimit = 64
    ) =>
        source.AddressFamily == AddressFamily.InterNetworkV6
            ? V6(source, destination, protocol, payload, hopLimit)
            : V4(source, destination, protocol, payload, hopLimit);

    /// <summary>An IPv4 packet without options.</summary>
    public static byte[] V4(
        IPAddress source,
        IPAddress destination,
        byte protocol,
        ReadOnlySpan<byte> payload,
        byte timeToLive = 64,
        ushort identification = 0,
        ushort fragment = DoNotFragment
    )
    {
        var header = new NetworkBytes()
            .UInt8(0x45, 0)
            .UInt16(20 + payload.Length)
            .UInt16(identification)
            .UInt16(fragment)
            .UInt8(timeToLive, protocol)
            .UInt16(0)
            .Address(source)
            .Address(destination)
            .ToArrayWithChecksum(10);
        return [.. header, .. payload];
    }

    /// <summary>An IPv6 packet.</summary>
    public static byte[] V6(
        IPAddress source,
        IPAddress destination,
        byte nextHeader,
        ReadOnlySpan<byte> payload,
        byte hopLimit = 64
    ) =>
        new NetworkBytes()
            .UInt32(0x6000_0000)
            .UInt16(payload.Length)
            .UInt8(nextHeader, hopLimit)
            .Address(source)
            .Address(destination)
            .UInt8(payload)
            .ToArray();

    /// <summary>A datagram in pieces, as a router or sender makes them.</summary>
    /// <param name="source">Source address, which chooses the version.</param>
    /// <param name="destination">Destination address.</param>
    /// <param name="protocol">Protocol of the payload.</param>
    /// <param name="payload">The payload of the whole.</param>
    /// <param name="size">Bytes of payload in each piece but the last; a multiple of 8.</param>
    /// <param name="identification">What the pieces are known to belong together by.</param>
    public static IEnumerable<byte[]> Fragments(
        IPAddress source,
        IPAddress destination,
        byte protocol,
        byte[] payload,
        int size,
        ushort identification
    )
    {
        for (var offset = 0; offset < payload.Length; offset += size)
        {
            var piece = payload.AsSpan(offset, Math.Min(size, payload.Length - offset)).ToArray();
            var more = offset + size < payload.Length;
            if (source.AddressFamily == AddressFamily.InterNetwork)
            {
                var fragment = (ushort)((offset / 8) | (more ? MoreFragments : 0));
                yield return V4(source, destination, protocol, piece, 64, identification, fragment);
            }
            else
            {
                var header = new NetworkBytes()
                    .UInt8(protocol, 0)
                    .UInt16(offset | (more ? 1 : 0))
                    .UInt32(identification)
                    .ToArray();
                yield return V6(source, destination, Fragment, [.. header, .. piece]);
            }
        }
    }
}
