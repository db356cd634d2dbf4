using System.Net;
using System.Net.Sockets;

namespace RxStages.TrafficGenerator.Packets;

/// <summary>The flags of a TCP segment.</summary>
[Flags]
public enum TcpFlags : byte
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary>FIN</summary>
    Fin = 0x01,

    /// <summary>SYN</summary>
    Syn = 0x02,

    /// <summary>RST</summary>
    Rst = 0x04,

    /// <summary>PSH</summary>
    Psh = 0x08,

    /// <summary>ACK</summary>
    Ack = 0x10,

    /// <summary>URG</summary>
    Urg = 0x20,
}

/// <summary>UDP datagrams and TCP segments, with the IP packet around them.</summary>
public static class Transport
{
    /// <summary>The most data in a TCP segment, so that its frame has 1514 bytes.</summary>
    public static int MaximumSegmentSize(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 ? 1440 : 1460;

    /// <summary>The options of a SYN: maximum segment size, selective acknowledgements allowed, window scale 7.</summary>
    public static byte[] SynOptions(IPAddress address) =>
        new NetworkBytes().UInt8(2, 4).UInt16(MaximumSegmentSize(address)).UInt8(1, 1, 4, 2, 1, 3, 3, 7).ToArray();

    /// <summary>A UDP datagram alone.</summary>
    public static byte[] UdpDatagram(IPEndPoint source, IPEndPoint destination, ReadOnlySpan<byte> payload)
    {
        var length = 8 + payload.Length;
        var datagram = new NetworkBytes()
            .UInt16(source.Port)
            .UInt16(destination.Port)
            .UInt16(length)
            .UInt16(0)
            .UInt8(payload)
            .ToArrayWithChecksum(6, NetworkBytes.PseudoHeader(source.Address, destination.Address, IP.Udp, length));
        if (datagram[6] == 0 && datagram[7] == 0)
        {
            // 0 says that there is no checksum; a sum of 0 is sent as its other form (RFC 768).
            datagram[6] = datagram[7] = 0xff;
        }
        return datagram;
    }

    /// <summary>A UDP datagram in its packet.</summary>
    public static byte[] Udp(IPEndPoint source, IPEndPoint destination, ReadOnlySpan<byte> payload) =>
        IP.Packet(source.Address, destination.Address, IP.Udp, UdpDatagram(source, destination, payload));

    /// <summary>A TCP segment in its packet.</summary>
    /// <param name="source">Where from; its address chooses the IP version.</param>
    /// <param name="destination">Where to.</param>
    /// <param name="flags">The flags.</param>
    /// <param name="sequence">The sequence number.</param>
    /// <param name="acknowledgement">The acknowledgement number.</param>
    /// <param name="payload">The data.</param>
    /// <param name="options">The options, padded to whole words.</param>
    /// <param name="dataOffset">The header length to claim, in words; 0 for the true one.</param>
    public static byte[] Tcp(
        IPEndPoint source,
        IPEndPoint destination,
        TcpFlags flags,
        uint sequence,
        uint acknowledgement,
        ReadOnlySpan<byte> payload = default,
        ReadOnlySpan<byte> options = default,
        int dataOffset = 0
    )
    {
        var words = dataOffset != 0 ? dataOffset : 5 + (options.Length / 4);
        var segment = new NetworkBytes()
            .UInt16(source.Port)
            .UInt16(destination.Port)
            .UInt32(sequence)
            .UInt32(acknowledgement)
            .UInt8((byte)(words << 4), (byte)flags)
            .UInt16(64240)
            .UInt16(0)
            .UInt16(0)
            .UInt8(options)
            .UInt8(payload)
            .ToArrayWithChecksum(
                16,
                NetworkBytes.PseudoHeader(
                    source.Address,
                    destination.Address,
                    IP.Tcp,
                    20 + options.Length + payload.Length
                )
            );
        return IP.Packet(source.Address, destination.Address, IP.Tcp, segment);
    }
}
