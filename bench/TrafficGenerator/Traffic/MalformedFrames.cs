using System.Net;
using RxStages.TrafficGenerator.Packets;

namespace RxStages.TrafficGenerator.Traffic;

/// <summary>Frames that no correct sender sends.</summary>
public static class MalformedFrames
{
    /// <summary>One of them.</summary>
    public static byte[] Pick(Randomness random, IPAddress source, IPAddress server)
    {
        var all = All(random, source, server);
        return all[random.Between(0, all.Count - 1)];
    }

    /// <summary>One of each kind.</summary>
    /// <param name="random">Where the random numbers come from.</param>
    /// <param name="source">An IPv4 address.</param>
    /// <param name="server">An IPv4 address.</param>
    public static IReadOnlyList<byte[]> All(Randomness random, IPAddress source, IPAddress server)
    {
        var from = new IPEndPoint(source, random.EphemeralPort());
        var to = new IPEndPoint(server, 80);
        var fromV6 = new IPEndPoint(Network.AttackersV6.Pick(random), from.Port);
        var toV6 = new IPEndPoint(Network.WebServersV6[0], 80);
        var tcp = Transport.Tcp(from, to, TcpFlags.Syn, (uint)random.Next(), 0);
        var udp = Transport.Udp(from, to, random.Bytes(26));
        var tcpV6 = Transport.Tcp(fromV6, toV6, TcpFlags.Syn, (uint)random.Next(), 0);
        return
        [
            // Cut short within each header.
            Ethernet.Frame(Link.ServerMac, Link.RouterMac, Ethernet.IPv4, []),
            Ethernet.Frame(Link.ServerMac, Link.RouterMac, Ethernet.Vlan, [0]),
            Unpadded(tcp[..10]),
            Unpadded(tcp[..33]),
            Unpadded(udp[..25]),
            Unpadded(tcpV6[..39]),
            Unpadded(tcpV6[..50]),
            // Fields of the IP header that cannot be: version, header length, total length.
            Link.Untagged.ToServer(With(tcp, 0, 0x55)),
            Link.Untagged.ToServer(With(tcp, 0, 0x44)),
            Link.Untagged.ToServer(With(tcp, 0, 0x4f)),
            Link.Untagged.ToServer(With(With(tcp, 2, 0), 3, 19)),
            Link.Untagged.ToServer(With(tcp, 2, 0x7f)),
            Ethernet.Padded(Ethernet.Frame(Link.ServerMac, Link.RouterMac, Ethernet.IPv6, tcp)),
            // A UDP length below that of its header, and one beyond the packet.
            Link.Untagged.ToServer(With(With(udp, 24, 0), 25, 4)),
            Link.Untagged.ToServer(With(udp, 24, 0x7f)),
            // A TCP header shorter than 20 bytes; flags that contradict each other, or none.
            Link.Untagged.ToServer(Transport.Tcp(from, to, TcpFlags.Ack, 0, 0, dataOffset: 3)),
            Link.Untagged.ToServer(Transport.Tcp(from, to, TcpFlags.None, 0, 0)),
            Link.Untagged.ToServer(Transport.Tcp(from, to, TcpFlags.Syn | TcpFlags.Fin, 0, 0)),
            Link.Untagged.ToServer(Transport.Tcp(from, to, TcpFlags.Fin | TcpFlags.Psh | TcpFlags.Urg, 0, 0)),
            // Extension headers that lead beyond the end, and more of them than any parser follows.
            Link.Untagged.ToServer(ExtensionHeader(fromV6, toV6, length: 200)),
            Link.Untagged.ToServer(ManyExtensionHeaders(fromV6, toV6)),
            // From and to the same address and port.
            Link.Untagged.ToServer(Transport.Tcp(to, to, TcpFlags.Syn, 0, 0)),
        ];
    }

    private static byte[] Unpadded(byte[] packet) =>
        Ethernet.Frame(Link.ServerMac, Link.RouterMac, packet[0] >> 4 == 6 ? Ethernet.IPv6 : Ethernet.IPv4, packet);

    private static byte[] With(byte[] packet, int offset, byte value)
    {
        byte[] changed = [.. packet];
        changed[offset] = value;
        return changed;
    }

    private static byte[] ExtensionHeader(IPEndPoint source, IPEndPoint destination, byte length) =>
        IP.V6(source.Address, destination.Address, IP.DestinationOptions, [IP.Tcp, length, 1, 4, 0, 0, 0, 0]);

    private static byte[] ManyExtensionHeaders(IPEndPoint source, IPEndPoint destination)
    {
        var headers = new NetworkBytes();
        for (var i = 0; i < 20; i++)
        {
            headers.UInt8(IP.DestinationOptions, 0, 1, 4, 0, 0, 0, 0);
        }
        return IP.V6(source.Address, destination.Address, IP.DestinationOptions, headers.ToArray());
    }
}
