using System.Net;
using RxStages.TrafficGenerator.Packets;

namespace RxStages.TrafficGenerator.Traffic;

/// <summary>What servers are there for. Each method gives the frames of one exchange that begins at a random time.</summary>
/// <param name="random">Where the random numbers come from.</param>
/// <param name="duration">How long the capture is, in nanoseconds.</param>
public sealed class GoodTraffic(Randomness random, ulong duration)
{
    private static readonly string[] Names = ["www.example.com", "example.com", "cdn.example.net", "mail.example.org"];

    /// <summary>How many of a hundred exchanges go over IPv6.</summary>
    public int PercentV6 { get; init; } = 30;

    /// <summary>The link that all frames pass, or null for links as they are mixed in practice.</summary>
    public Link? OnlyLink { get; init; }

    /// <summary>A TCP connection, HTTP or TLS; it ends before the capture does, if it is short enough for that.</summary>
    public IEnumerable<TimedFrame> Connection()
    {
        var frames = TcpConnection.ToWebServer(random, PickLink(), PickV6()).ToList();
        var last = frames[^1].Time;
        var start = last < duration ? random.Next() % (duration - last) : 0;
        return frames.Select(frame => frame with { Time = start + frame.Time });
    }

    /// <summary>A DNS query and its answer.</summary>
    public IEnumerable<TimedFrame> Lookup()
    {
        var (isV6, link, start) = (PickV6(), PickLink(), Start());
        var client = new IPEndPoint(Client(isV6), random.EphemeralPort());
        var server = new IPEndPoint(isV6 ? Network.NameServerV6 : Network.NameServerV4, 53);
        var (id, name, asksV6) = ((ushort)random.Next(), random.Pick<string>(Names), random.Percent(40));
        yield return new(start, link.ToServer(Transport.Udp(client, server, DnsMessage.Query(id, name, asksV6))));
        var answer = DnsMessage.Answer(id, name, asksV6 ? Network.WebServersV6 : Network.WebServersV4);
        yield return new(Later(start), link.FromServer(Transport.Udp(server, client, answer)));
    }

    /// <summary>An echo request and its reply.</summary>
    public IEnumerable<TimedFrame> Ping()
    {
        var (isV6, link, start) = (PickV6(), PickLink(), Start());
        var (client, server) = (Client(isV6), WebServer(isV6));
        var (identifier, sequence) = ((ushort)random.Next(), (ushort)random.Between(1, 100));
        var data = random.Bytes(56);
        yield return new(start, link.ToServer(Icmp.Echo(client, server, false, identifier, sequence, data)));
        yield return new(Later(start), link.FromServer(Icmp.Echo(server, client, true, identifier, sequence, data)));
    }

    /// <summary>The router asks for a server's MAC address, and is answered: ARP or neighbour discovery.</summary>
    public IEnumerable<TimedFrame> NeighbourLookup()
    {
        var (isV6, link, start) = (PickV6(), PickLink(), Start());
        var server = WebServer(isV6);
        if (isV6)
        {
            var group = Icmp.SolicitedNode(server).GetAddressBytes();
            byte[] groupMac = [0x33, 0x33, .. group[12..]];
            var question = Icmp.NeighbourSolicitation(Network.RouterV6, server, Link.RouterMac);
            var answer = Icmp.NeighbourAdvertisement(server, Network.RouterV6, Link.ServerMac);
            yield return new(start, link.Frame(groupMac, Link.RouterMac, question));
            yield return new(Later(start), link.FromServer(answer));
        }
        else
        {
            var question = Icmp.Arp(false, Link.RouterMac, Network.RouterV4, new byte[6], server);
            var answer = Icmp.Arp(true, Link.ServerMac, server, Link.RouterMac, Network.RouterV4);
            yield return new(start, Arp(Link.Broadcast, Link.RouterMac, question));
            yield return new(Later(start), Arp(Link.RouterMac, Link.ServerMac, answer));
        }

        byte[] Arp(ReadOnlySpan<byte> destination, ReadOnlySpan<byte> source, byte[] message) =>
            Ethernet.Padded(Ethernet.Frame(destination, source, Ethernet.Arp, message, link.Tags));
    }

    /// <summary>Some datagrams of a QUIC connection, both ways.</summary>
    public IEnumerable<TimedFrame> Quic()
    {
        var (isV6, link, now) = (PickV6(), PickLink(), Start());
        var client = new IPEndPoint(Client(isV6), random.EphemeralPort());
        var server = new IPEndPoint(WebServer(isV6), 443);
        for (var datagrams = random.Between(2, 8); datagrams > 0; datagrams--)
        {
            // The fixed bit of a short header.
            byte[] data = [0x40, .. random.Bytes(random.Between(24, random.Percent(20) ? 1200 : 200))];
            yield return random.Percent(50)
                ? new(now, link.ToServer(Transport.Udp(client, server, data)))
                : new(now, link.FromServer(Transport.Udp(server, client, data)));
            now = Later(now);
        }
    }

    private bool PickV6() => random.Percent(PercentV6);

    private Link PickLink() => OnlyLink ?? Link.Pick(random);

    private IPAddress Client(bool isV6) => (isV6 ? Network.ClientsV6 : Network.ClientsV4).Pick(random);

    private IPAddress WebServer(bool isV6) =>
        random.Pick<IPAddress>(isV6 ? Network.WebServersV6 : Network.WebServersV4);

    private ulong Start() => random.Next() % duration;

    private ulong Later(ulong time) => time + (ulong)random.Between(20_000, 900_000);
}
