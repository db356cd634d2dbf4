using System.Net;
using RxStages.TrafficGenerator.Packets;

namespace RxStages.TrafficGenerator.Traffic;

/// <summary>A frame and when it passes.</summary>
/// <param name="Time">In nanoseconds from the beginning of the capture.</param>
/// <param name="Bytes">The frame.</param>
public readonly record struct TimedFrame(ulong Time, byte[] Bytes);

/// <summary>An address prefix.</summary>
/// <param name="Address">The address, with zeros behind the prefix.</param>
/// <param name="Length">The prefix's length in bits.</param>
public readonly record struct Prefix(IPAddress Address, int Length)
{
    /// <summary>An address with this prefix.</summary>
    public IPAddress Pick(Randomness random)
    {
        var bytes = Address.GetAddressBytes();
        for (var bit = Length; bit < bytes.Length * 8; bit++)
        {
            if (random.Percent(50))
            {
                bytes[bit / 8] |= (byte)(0x80 >> (bit % 8));
            }
        }
        return new IPAddress(bytes);
    }

    /// <summary>The prefix that a text like <c>192.0.2.0/24</c> means.</summary>
    public static Prefix Parse(string text)
    {
        var network = IPNetwork.Parse(text);
        return new Prefix(network.BaseAddress, network.PrefixLength);
    }
}

/// <summary>
/// The protected servers behind a router, and who sends to them. All addresses are from ranges for documentation
/// (RFC 5737, RFC 3849), benchmarks (RFC 2544) and shared address space (RFC 6598).
/// </summary>
public static class Network
{
    /// <summary>Where good clients are.</summary>
    public static readonly Prefix ClientsV4 = Prefix.Parse("198.18.0.0/15");

    /// <inheritdoc cref="ClientsV4"/>
    public static readonly Prefix ClientsV6 = Prefix.Parse("2001:db8:c000::/36");

    /// <summary>Where attack traffic comes, or pretends to come, from.</summary>
    public static readonly Prefix AttackersV4 = Prefix.Parse("100.64.0.0/10");

    /// <inheritdoc cref="AttackersV4"/>
    public static readonly Prefix AttackersV6 = Prefix.Parse("2001:db8:a000::/36");

    /// <summary>Sources known to be bad: the block list for the sample run.</summary>
    public static readonly Prefix[] BlockedV4 =
    [
        Prefix.Parse("198.51.100.0/24"),
        Prefix.Parse("203.0.113.0/24"),
        Prefix.Parse("203.0.113.64/26"),
        Prefix.Parse("100.99.99.99/32"),
    ];

    /// <inheritdoc cref="BlockedV4"/>
    public static readonly Prefix[] BlockedV6 = [Prefix.Parse("2001:db8:bad::/48"), Prefix.Parse("2001:db8:a666::/64")];

    /// <summary>The web servers, IPv4 and IPv6 in the same order.</summary>
    public static readonly IPAddress[] WebServersV4 = [.. Hosts("192.0.2.10", "192.0.2.11", "192.0.2.12")];

    /// <inheritdoc cref="WebServersV4"/>
    public static readonly IPAddress[] WebServersV6 = [.. Hosts("2001:db8:1::10", "2001:db8:1::11", "2001:db8:1::12")];

    /// <summary>The name server.</summary>
    public static readonly IPAddress NameServerV4 = IPAddress.Parse("192.0.2.53");

    /// <inheritdoc cref="NameServerV4"/>
    public static readonly IPAddress NameServerV6 = IPAddress.Parse("2001:db8:1::53");

    /// <summary>The router in front of the servers.</summary>
    public static readonly IPAddress RouterV4 = IPAddress.Parse("192.0.2.1");

    /// <inheritdoc cref="RouterV4"/>
    public static readonly IPAddress RouterV6 = IPAddress.Parse("2001:db8:1::1");

    private static IEnumerable<IPAddress> Hosts(params string[] addresses) => addresses.Select(IPAddress.Parse);
}

/// <summary>The link between the router and the servers, on which everything is captured.</summary>
/// <param name="Tags">The VLAN tags that frames carry on it, the outer one first.</param>
public sealed record Link(params VlanTag[] Tags)
{
    /// <summary>The router's MAC address.</summary>
    public static ReadOnlySpan<byte> RouterMac => [0x02, 0, 0, 0, 0, 0x01];

    /// <summary>The servers' MAC address.</summary>
    public static ReadOnlySpan<byte> ServerMac => [0x02, 0, 0, 0, 0, 0x02];

    /// <summary>The broadcast address.</summary>
    public static ReadOnlySpan<byte> Broadcast => [0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

    /// <summary>A link without tags.</summary>
    public static Link Untagged { get; } = new();

    /// <summary>A VLAN.</summary>
    public static Link Vlan { get; } = new(new VlanTag(Ethernet.Vlan, 100));

    /// <summary>A VLAN inside a provider's.</summary>
    public static Link QinQ { get; } = new(new VlanTag(Ethernet.ServiceVlan, 200), new VlanTag(Ethernet.Vlan, 100));

    /// <summary>A link as they are mixed in practice: most without tags.</summary>
    public static Link Pick(Randomness random) =>
        random.Between(0, 99) switch
        {
            < 80 => Untagged,
            < 95 => Vlan,
            _ => QinQ,
        };

    /// <summary>The frame that brings an IP packet to the servers.</summary>
    public byte[] ToServer(byte[] packet) => Frame(ServerMac, RouterMac, packet);

    /// <summary>The frame that takes an IP packet away from the servers.</summary>
    public byte[] FromServer(byte[] packet) => Frame(RouterMac, ServerMac, packet);

    /// <summary>The frame around an IP packet, whose first byte tells its version.</summary>
    public byte[] Frame(ReadOnlySpan<byte> destination, ReadOnlySpan<byte> source, byte[] packet)
    {
        var etherType = packet[0] >> 4 == 6 ? Ethernet.IPv6 : Ethernet.IPv4;
        return Ethernet.Padded(Ethernet.Frame(destination, source, etherType, packet, Tags));
    }
}
