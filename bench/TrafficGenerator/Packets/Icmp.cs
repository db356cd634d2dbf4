using System.Net;
using System.Net.Sockets;

namespace RxStages.TrafficGenerator.Packets;

/// <summary>ICMP and ICMPv6 messages with the IP packet around them, and ARP.</summary>
public static class Icmp
{
    /// <summary>An echo request or reply of the addresses' version.</summary>
    public static byte[] Echo(
        IPAddress source,
        IPAddress destination,
        bool isReply,
        ushort identifier,
        ushort sequence,
        ReadOnlySpan<byte> payload
    )
    {
        var isV6 = source.AddressFamily == AddressFamily.InterNetworkV6;
        var message = new NetworkBytes()
            .UInt8((byte)(isV6 ? (isReply ? 129 : 128) : (isReply ? 0 : 8)), 0)
            .UInt16(0)
            .UInt16(identifier)
            .UInt16(sequence)
            .UInt8(payload);
        return isV6
            ? V6(source, destination, message, hopLimit: 64)
            : IP.V4(source, destination, IP.Icmp, message.ToArrayWithChecksum(2));
    }

    /// <summary>Asks all neighbours that an address may belong to for its MAC address (RFC 4861 section 4.3).</summary>
    public static byte[] NeighbourSolicitation(IPAddress source, IPAddress target, ReadOnlySpan<byte> sourceMac)
    {
        var message = new NetworkBytes().UInt8(135, 0).UInt16(0).UInt32(0).Address(target).UInt8(1, 1).UInt8(sourceMac);
        return V6(source, SolicitedNode(target), message, hopLimit: 255);
    }

    /// <summary>Answers with the MAC address (RFC 4861 section 4.4).</summary>
    public static byte[] NeighbourAdvertisement(IPAddress target, IPAddress destination, ReadOnlySpan<byte> targetMac)
    {
        const uint solicitedAndOverride = 0x6000_0000;
        var message = new NetworkBytes()
            .UInt8(136, 0)
            .UInt16(0)
            .UInt32(solicitedAndOverride)
            .Address(target)
            .UInt8(2, 1)
            .UInt8(targetMac);
        return V6(target, destination, message, hopLimit: 255);
    }

    /// <summary>The multicast address of all nodes whose addresses end like this one (RFC 4291 section 2.7.1).</summary>
    public static IPAddress SolicitedNode(IPAddress address) =>
        new([.. IPAddress.Parse("ff02::1:ff00:0").GetAddressBytes()[..13], .. address.GetAddressBytes()[13..]]);

    /// <summary>An ARP request or reply for Ethernet and IPv4 (RFC 826).</summary>
    public static byte[] Arp(
        bool isReply,
        ReadOnlySpan<byte> senderMac,
        IPAddress sender,
        ReadOnlySpan<byte> targetMac,
        IPAddress target
    ) =>
        new NetworkBytes()
            .UInt16(1)
            .UInt16(Ethernet.IPv4)
            .UInt8(6, 4)
            .UInt16(isReply ? 2 : 1)
            .UInt8(senderMac)
            .Address(sender)
            .UInt8(targetMac)
            .Address(target)
            .ToArray();

    private static byte[] V6(IPAddress source, IPAddress destination, NetworkBytes message, byte hopLimit)
    {
        var pseudoHeader = NetworkBytes.PseudoHeader(source, destination, IP.IcmpV6, message.ToArray().Length);
        return IP.V6(source, destination, IP.IcmpV6, message.ToArrayWithChecksum(2, pseudoHeader), hopLimit);
    }
}
