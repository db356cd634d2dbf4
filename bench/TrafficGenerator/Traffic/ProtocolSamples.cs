using System.Net;
using RxStages.TrafficGenerator.Packets;

namespace RxStages.TrafficGenerator.Traffic;

/// <summary>Small captures that each go into one subject: IPv6, VLANs, echo messages, frame lengths.</summary>
public static class ProtocolSamples
{
    private const ulong Duration = 100_000_000;

    private static readonly byte[][] NotUnicast =
    [
        [.. Link.Broadcast],
        [0x01, 0, 0x5e, 0, 0, 1],
        [0x33, 0x33, 0, 0, 0, 1],
    ];

    private static readonly int[] CutLengths = [14, 16, 18, 20, 22, 30];

    /// <summary>
    /// The lengths at the edges: of an Ethernet header, an IPv4 and an IPv6 header behind it, the wire's least and
    /// greatest, what fits into a frame of 4096 bytes with its headroom and tailroom, and jumbo frames.
    /// </summary>
    public static ReadOnlySpan<int> EdgeLengths =>
        [14, 15, 17, 18, 33, 34, 35, 41, 42, 53, 54, 59, 60, 61, 64, 1513, 1514, 1518, 3519, 3520, 3521, 9000];

    /// <summary>Every exchange over IPv6, attacks too, and the extension headers.</summary>
    public static IReadOnlyList<TimedFrame> IPv6(ulong seed)
    {
        var random = new Randomness(seed);
        var good = new GoodTraffic(random, Duration) { PercentV6 = 100 };
        var attack = new AttackTraffic(random, Duration) { PercentV6 = 100 };
        var frames = new List<TimedFrame>();
        for (var i = 0; i < 8; i++)
        {
            frames.AddRange([
                .. good.Connection(),
                .. good.Lookup(),
                .. good.Ping(),
                .. good.NeighbourLookup(),
                .. good.Quic(),
                .. attack.Reflection(),
                .. attack.ReflectionOfBlockedServer(),
                .. attack.BlockedSource(),
                .. attack.DeniedService(),
                .. attack.SynFlood(),
                .. attack.Fragments(),
            ]);
        }
        frames.AddRange(ExtensionHeaders(random));
        return InOrder(frames);
    }

    /// <summary>Good traffic in a VLAN and in a VLAN inside another, and what tags can look like otherwise.</summary>
    public static TimedFrame[] Vlan(ulong seed)
    {
        var random = new Randomness(seed);
        var frames = new List<TimedFrame>();
        foreach (var link in new[] { Link.Vlan, Link.QinQ })
        {
            var good = new GoodTraffic(random, Duration) { OnlyLink = link };
            for (var i = 0; i < 6; i++)
            {
                frames.AddRange([.. good.Connection(), .. good.Lookup(), .. good.Ping(), .. good.NeighbourLookup()]);
            }
        }
        var packet = Transport.Udp(
            new IPEndPoint(Network.ClientsV4.Pick(random), 4711),
            new IPEndPoint(Network.WebServersV4[0], 443),
            random.Bytes(40)
        );
        VlanTag[][] unusual =
        [
            // Priority only (VLAN 0); the greatest number with all priority bits; the old QinQ; three tags.
            [new(Ethernet.Vlan, 0xe000)],
            [new(Ethernet.Vlan, 0xffff)],
            [new(Ethernet.Vlan, 200), new(Ethernet.Vlan, 100)],
            [new(Ethernet.ServiceVlan, 1), new(Ethernet.ServiceVlan, 2), new(Ethernet.Vlan, 3)],
        ];
        frames.AddRange(unusual.Select(tags => new TimedFrame(Duration, new Link(tags).ToServer(packet))));
        // Cut within the outer tag, between the tags, and behind them.
        byte[] tagged = Link.QinQ.ToServer(packet);
        frames.AddRange(CutLengths.Select(length => new TimedFrame(Duration, tagged[..length])));
        return InOrder(frames);
    }

    /// <summary>Echo requests and replies of all kinds, and what looks like one but must not be answered.</summary>
    public static IReadOnlyList<TimedFrame> Echo(ulong seed)
    {
        var random = new Randomness(seed);
        var frames = new List<TimedFrame>();
        foreach (var isV6 in new[] { false, true })
        {
            foreach (var link in new[] { Link.Untagged, Link.Vlan, Link.QinQ })
            {
                foreach (var length in new[] { 0, 1, 17, 56, 57, 1400, 1432 })
                {
                    Add(link.ToServer(Request(isV6, length)));
                }
            }
            for (var i = 0; i < 64; i++)
            {
                Add(Link.Untagged.ToServer(Request(isV6, random.Between(0, 200))));
            }
            Add(Link.Untagged.FromServer(Request(isV6, 56, isReply: true)));

            // A wrong checksum, one of 0 and one of 0xffff; another code; another type; cut short at each byte.
            var headerLength = isV6 ? 40 : 20;
            foreach (var checksum in new[] { 0x1234, 0x0000, 0xffff })
            {
                var changed = Request(isV6, 56);
                (changed[headerLength + 2], changed[headerLength + 3]) = ((byte)(checksum >> 8), (byte)checksum);
                Add(Link.Untagged.ToServer(changed));
            }
            var otherCode = Request(isV6, 56);
            otherCode[headerLength + 1] = 1;
            Add(Link.Untagged.ToServer(otherCode));
            var otherType = Request(isV6, 56);
            otherType[headerLength] = 13;
            Add(Link.Untagged.ToServer(otherType));
            var whole = Link.Untagged.ToServer(Request(isV6, 0));
            for (var length = 14; length < 14 + headerLength + 8; length++)
            {
                Add(whole[..length]);
            }

            foreach (var destination in NotUnicast)
            {
                Add(Link.Untagged.Frame(destination, Link.RouterMac, Request(isV6, 56)));
            }
            var (client, server) = Addresses(isV6);
            var message = Request(isV6, 400)[headerLength..];
            foreach (var piece in IP.Fragments(client, server, isV6 ? IP.IcmpV6 : IP.Icmp, message, 200, 77))
            {
                Add(Link.Untagged.ToServer(piece));
            }
        }
        Add(Link.Untagged.ToServer(WithOptions(Request(isV6: false, 56))));
        return frames;

        void Add(byte[] frame) => frames.Add(new TimedFrame((ulong)frames.Count * 1000, frame));

        (IPAddress Client, IPAddress Server) Addresses(bool isV6) =>
            isV6
                ? (Network.ClientsV6.Pick(random), Network.WebServersV6[0])
                : (Network.ClientsV4.Pick(random), Network.WebServersV4[0]);

        byte[] Request(bool isV6, int length, bool isReply = false)
        {
            var (client, server) = Addresses(isV6);
            return isReply
                ? Icmp.Echo(server, client, true, 1, 1, random.Bytes(length))
                : Icmp.Echo(client, server, false, (ushort)random.Next(), (ushort)random.Next(), random.Bytes(length));
        }
    }

    /// <summary>A frame of exactly that length: UDP as far as there is room for it.</summary>
    public static byte[] FrameOfLength(Randomness random, int length)
    {
        const int headers = 14 + 20 + 8;
        var packet = Transport.Udp(
            new IPEndPoint(Network.ClientsV4.Pick(random), random.EphemeralPort()),
            new IPEndPoint(Network.WebServersV4[0], 443),
            random.Bytes(Math.Max(0, length - headers))
        );
        return Ethernet.Frame(Link.ServerMac, Link.RouterMac, Ethernet.IPv4, packet)[..length];
    }

    private static IEnumerable<TimedFrame> ExtensionHeaders(Randomness random)
    {
        const byte hopByHop = 0;
        const byte routing = 43;
        const byte authentication = 51;
        const byte noNextHeader = 59;
        byte[][] chains =
        [
            [hopByHop],
            [IP.DestinationOptions],
            [routing],
            [authentication],
            [hopByHop, routing, IP.DestinationOptions],
            [hopByHop, IP.DestinationOptions, routing, authentication, IP.DestinationOptions],
            [.. Enumerable.Repeat(IP.DestinationOptions, 7)],
            [.. Enumerable.Repeat(IP.DestinationOptions, 8)],
            [.. Enumerable.Repeat(IP.DestinationOptions, 9)],
        ];
        foreach (var chain in chains)
        {
            var source = new IPEndPoint(Network.ClientsV6.Pick(random), random.EphemeralPort());
            var destination = new IPEndPoint(Network.WebServersV6[0], 443);
            var headers = new NetworkBytes();
            for (var i = 0; i < chain.Length; i++)
            {
                var next = i + 1 < chain.Length ? chain[i + 1] : IP.Udp;
                // 16 bytes each: the length field counts 8 less 1, for authentication 4 less 2.
                headers
                    .UInt8(next, (byte)(chain[i] == authentication ? 2 : 1))
                    .UInt8(chain[i] is routing or authentication ? ExperimentalRouting : PaddingOption);
            }
            headers.UInt8(Transport.UdpDatagram(source, destination, random.Bytes(32)));
            var packet = IP.V6(source.Address, destination.Address, chain[0], headers.ToArray());
            yield return new(random.Next() % Duration, Link.Untagged.ToServer(packet));
        }
        var nothing = IP.V6(Network.ClientsV6.Pick(random), Network.WebServersV6[0], noNextHeader, []);
        yield return new(random.Next() % Duration, Link.Untagged.ToServer(nothing));
    }

    /// <summary>Routing of a type for experiments (RFC 4727), arrived; as authentication, some index and number.</summary>
    private static ReadOnlySpan<byte> ExperimentalRouting => [253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>PadN over 14 bytes.</summary>
    private static ReadOnlySpan<byte> PaddingOption => [1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>The IPv4 packet with a header of 24 bytes: four of "no operation".</summary>
    private static byte[] WithOptions(byte[] packet)
    {
        var length = packet.Length + 4;
        var header = new NetworkBytes()
            .UInt8(0x46, 0)
            .UInt16(length)
            .UInt8(packet.AsSpan(4, 6))
            .UInt16(0)
            .UInt8(packet.AsSpan(12, 8))
            .UInt8(1, 1, 1, 1)
            .ToArrayWithChecksum(10);
        return [.. header, .. packet.AsSpan(20)];
    }

    private static TimedFrame[] InOrder(IEnumerable<TimedFrame> frames) => [.. frames.OrderBy(frame => frame.Time)];
}
