using System.Collections.Immutable;

namespace RxStages.Bpf.Network;

/// <summary>A network interface as programs can ask about it.</summary>
public sealed record NetworkInterface
{
    /// <summary>The least MTU with which an interface speaks IPv6 (RFC 8200 section 5).</summary>
    public const int Ipv6MinMtu = 1280;

    /// <summary>Its number (<c>ifindex</c>), from 1.</summary>
    public required int Index { get; init; }

    /// <summary>Its name; at most 15 characters in the kernel.</summary>
    public required string Name { get; init; }

    /// <summary>Bytes that a packet may have behind the link layer's header.</summary>
    public int Mtu { get; init; } = 1500;

    /// <summary>Bytes of the link layer's header (<c>hard_header_len</c>): 14 for Ethernet and loopback.</summary>
    public int HeaderLength { get; init; } = 14;

    /// <summary>The link layer's address, in the lower 48 bits, first byte highest; 0 where there is none.</summary>
    public ulong HardwareAddress { get; init; }

    /// <summary>Whether IPv4 packets that come in by it are forwarded.</summary>
    public bool ForwardsIpv4 { get; init; }

    /// <summary>Whether IPv6 packets that come in by it are forwarded.</summary>
    public bool ForwardsIpv6 { get; init; }

    /// <summary>Its addresses, in the kernel's order.</summary>
    public ImmutableArray<InterfaceAddress> Addresses { get; init; } = [];

    /// <summary>The loopback interface that every host has.</summary>
    public static NetworkInterface Loopback { get; } =
        new()
        {
            Index = 1,
            Name = "lo",
            Mtu = 65536,
        };
}

/// <summary>An address of an interface.</summary>
/// <param name="Address">The address.</param>
/// <param name="Network">An address of its network: the same, or the peer of a point-to-point link.</param>
/// <param name="PrefixLength">How many bits of it are the network's.</param>
/// <param name="Scope">Where it is valid, as a number of <see cref="RouteScope"/>.</param>
public readonly record struct InterfaceAddress(
    NetworkAddress Address,
    NetworkAddress Network,
    int PrefixLength,
    int Scope
)
{
    /// <summary><c>IFA_F_SECONDARY</c>: another IPv4 address of the same network comes before it.</summary>
    public bool IsSecondary { get; init; }

    /// <summary><c>IFA_F_DEPRECATED</c>: not chosen for what is new.</summary>
    public bool IsDeprecated { get; init; }

    /// <summary><c>IFA_F_TENTATIVE</c>: not known to be unique yet, not used.</summary>
    public bool IsTentative { get; init; }

    /// <summary><c>IFA_F_TEMPORARY</c>: RFC 8981.</summary>
    public bool IsTemporary { get; init; }
}
