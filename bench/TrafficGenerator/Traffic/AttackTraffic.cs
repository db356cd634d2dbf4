using System.Net;
using System.Text;
using RxStages.TrafficGenerator.Packets;

namespace RxStages.TrafficGenerator.Traffic;

/// <summary>What a filter is there for. Each method gives the frames of one blow at a random time.</summary>
/// <param name="random">Where the random numbers come from.</param>
/// <param name="duration">How long the capture is, in nanoseconds.</param>
public sealed class AttackTraffic(Randomness random, ulong duration)
{
    /// <summary>The source addresses of <see cref="SynFloodOfFewSources"/>.</summary>
    private static readonly IPAddress[] FewSources =
    [
        IPAddress.Parse("100.66.6.6"),
        IPAddress.Parse("100.77.7.7"),
        IPAddress.Parse("2001:db8:a000::6666"),
    ];

    /// <summary>Amplifiers by the port they answer from, with the size of what they answer.</summary>
    private static readonly (ushort Port, int Low, int High)[] Amplifiers =
    [
        (11211, 1000, 1400),
        (1900, 250, 350),
        (389, 400, 1300),
        (161, 300, 900),
        (19, 74, 700),
        (111, 68, 300),
    ];

    /// <summary>Services that nobody outside has to speak to.</summary>
    public static readonly (byte Protocol, ushort Port)[] DeniedServices =
    [
        (IP.Tcp, 23),
        (IP.Tcp, 445),
        (IP.Tcp, 2323),
        (IP.Tcp, 3389),
        (IP.Udp, 69),
        (IP.Udp, 1900),
        (IP.Udp, 5060),
    ];

    /// <summary>Services whose packets need no further tests.</summary>
    public static readonly (byte Protocol, ushort Port)[] AllowedServices = [(IP.Udp, 53)];

    /// <summary>How many of a hundred blows come over IPv6.</summary>
    public int PercentV6 { get; init; } = 20;

    /// <summary>The answer of an amplifier to a question that the server never asked.</summary>
    public IEnumerable<TimedFrame> Reflection()
    {
        var (port, low, high) = random.Pick<(ushort, int, int)>(Amplifiers);
        var isV6 = PickV6();
        return OnePacket(
            Transport.Udp(
                new IPEndPoint(Attacker(isV6), port),
                new IPEndPoint(Server(isV6), random.Between(1024, 65535)),
                port == 11211
                    ? Encoding.ASCII.GetBytes(
                        "\0\x01\0\0\0\x01\0\0VALUE a 0 1048576\r\n".PadRight(random.Between(low, high), 'a')
                    )
                    : random.Bytes(random.Between(low, high))
            )
        );
    }

    /// <summary>
    /// A large answer of a name or time server on the block list; good traffic comes from these ports too, so that only
    /// the source tells.
    /// </summary>
    public IEnumerable<TimedFrame> ReflectionOfBlockedServer()
    {
        var isV6 = PickV6();
        var isTime = random.Percent(50);
        return OnePacket(
            Transport.Udp(
                new IPEndPoint(Blocked(isV6), isTime ? 123 : 53),
                new IPEndPoint(Server(isV6), random.Between(1024, 65535)),
                isTime ? TimeServerClients() : ManyRecords()
            )
        );
    }

    /// <summary>The last six clients of a time server: an answer to its private request "monlist".</summary>
    private byte[] TimeServerClients()
    {
        const int items = 6;
        const int itemSize = 72;
        return new NetworkBytes()
            .UInt8(0xd7, 0, 3, 42)
            .UInt16(items)
            .UInt16(itemSize)
            .UInt8(random.Bytes(items * itemSize))
            .ToArray();
    }

    private byte[] ManyRecords()
    {
        var addresses = new IPAddress[random.Between(20, 70)];
        for (var i = 0; i < addresses.Length; i++)
        {
            addresses[i] = Network.AttackersV4.Pick(random);
        }
        return DnsMessage.Answer((ushort)random.Next(), "amplified.example", addresses);
    }

    /// <summary>A SYN from a source that is seen once.</summary>
    public IEnumerable<TimedFrame> SynFlood()
    {
        var isV6 = PickV6();
        return OnePacket(Syn(Attacker(isV6), Server(isV6)));
    }

    /// <summary>A SYN from one of a few sources, each of which sends far too many.</summary>
    public IEnumerable<TimedFrame> SynFloodOfFewSources()
    {
        var source = random.Pick<IPAddress>(FewSources);
        return OnePacket(Syn(source, Server(isV6: source.AddressFamily != Network.ClientsV4.Address.AddressFamily)));
    }

    /// <summary>Anything from a source on the block list.</summary>
    public IEnumerable<TimedFrame> BlockedSource()
    {
        var isV6 = PickV6();
        var (source, server) = (Blocked(isV6), Server(isV6));
        var (client, service) = (new IPEndPoint(source, random.EphemeralPort()), new IPEndPoint(server, 80));
        return OnePacket(
            random.Between(0, 3) switch
            {
                0 => Syn(source, server),
                1 => Transport.Tcp(
                    client,
                    service,
                    TcpFlags.Psh | TcpFlags.Ack,
                    (uint)random.Next(),
                    (uint)random.Next(),
                    "GET /login HTTP/1.1\r\nHost: www.example.com\r\n\r\n"u8
                ),
                2 => Transport.Udp(client, service, random.Bytes(random.Between(0, 64))),
                _ => Icmp.Echo(source, server, false, 1, 1, random.Bytes(random.Between(0, 1400))),
            }
        );
    }

    /// <summary>A scan for services that nobody outside has to speak to.</summary>
    public IEnumerable<TimedFrame> DeniedService()
    {
        var isV6 = PickV6();
        var (protocol, port) = random.Pick<(byte, ushort)>(DeniedServices);
        var source = new IPEndPoint(Attacker(isV6), random.EphemeralPort());
        var destination = new IPEndPoint(Server(isV6), port);
        return OnePacket(
            protocol == IP.Tcp
                ? Transport.Tcp(source, destination, TcpFlags.Syn, (uint)random.Next(), 0)
                : Transport.Udp(source, destination, random.Bytes(random.Between(8, 120)))
        );
    }

    /// <summary>All pieces of a large datagram, shuffled, or a TCP header cut in two to hide its flags.</summary>
    public IEnumerable<TimedFrame> Fragments()
    {
        var isV6 = PickV6();
        var (source, server, start, link) = (Attacker(isV6), Server(isV6), Start(), Link.Pick(random));
        var identification = (ushort)random.Next();
        var isTiny = random.Percent(30);
        var from = new IPEndPoint(source, random.EphemeralPort());
        var to = new IPEndPoint(server, 80);
        var packet = isTiny
            ? Transport.Tcp(from, to, TcpFlags.Syn, (uint)random.Next(), 0)[(isV6 ? 40 : 20)..]
            : Transport.UdpDatagram(from, to, random.Bytes(random.Between(1600, 2400)));
        var pieces = IP.Fragments(source, server, isTiny ? IP.Tcp : IP.Udp, packet, isTiny ? 8 : 800, identification);
        return pieces
            .Select(piece => new TimedFrame(start + (ulong)random.Between(0, 500_000), link.ToServer(piece)))
            .ToArray();
    }

    /// <summary>A packet that breaks the rules.</summary>
    public IEnumerable<TimedFrame> Malformed() =>
        [new TimedFrame(Start(), MalformedFrames.Pick(random, Attacker(isV6: false), Server(isV6: false)))];

    private byte[] Syn(IPAddress source, IPAddress server) =>
        Transport.Tcp(
            new IPEndPoint(source, random.Between(1024, 65535)),
            new IPEndPoint(server, random.Percent(50) ? 443 : 80),
            TcpFlags.Syn,
            (uint)random.Next(),
            0,
            options: random.Percent(50) ? Transport.SynOptions(server) : default
        );

    private TimedFrame[] OnePacket(byte[] packet) => [new TimedFrame(Start(), Link.Pick(random).ToServer(packet))];

    private bool PickV6() => random.Percent(PercentV6);

    private IPAddress Attacker(bool isV6) => (isV6 ? Network.AttackersV6 : Network.AttackersV4).Pick(random);

    private IPAddress Blocked(bool isV6) =>
        random.Pick<Prefix>(isV6 ? Network.BlockedV6 : Network.BlockedV4).Pick(random);

    private IPAddress Server(bool isV6) =>
        random.Percent(10)
            ? (isV6 ? Network.NameServerV6 : Network.NameServerV4)
            : random.Pick<IPAddress>(isV6 ? Network.WebServersV6 : Network.WebServersV4);

    private ulong Start() => random.Next() % duration;
}
