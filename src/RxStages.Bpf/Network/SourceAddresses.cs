using System.Collections.Immutable;

namespace RxStages.Bpf.Network;

/// <summary>Which of the host's addresses a packet gets as its source: the kernel's choice, for IPv4 and IPv6.</summary>
/// <param name="interfaces">The host's interfaces, in the order of their numbers.</param>
internal sealed class SourceAddresses(ImmutableArray<NetworkInterface> interfaces)
{
    // Scopes of IPv6 addresses (RFC 4291 section 2.7).
    private const int LinkLocalScope = 2;
    private const int SiteLocalScope = 5;
    private const int GlobalScope = 14;

    // RFC 6724 section 2.1, as the kernel has it (net/ipv6/addrlabel.c): the longest prefix comes first.
    private static readonly (NetworkAddress Prefix, int Length, int Label)[] Labels =
    [
        Labelled("::1", 128, 0),
        Labelled("::ffff:0:0", 96, 4),
        Labelled("::", 96, 3),
        Labelled("2001::", 32, 6),
        Labelled("2001:10::", 28, 7),
        Labelled("3ffe::", 16, 12),
        Labelled("2002::", 16, 2),
        Labelled("fec0::", 10, 11),
        Labelled("fc00::", 7, 5),
        Labelled("::", 0, 1),
    ];

    /// <summary>The source for an IPv4 route and one of its nexthops (<c>fib_result_prefsrc</c>); <c>0.0.0.0</c> if there is none.</summary>
    public NetworkAddress SelectIpv4(Route route, Nexthop nexthop)
    {
        if (route.PreferredSource is { } preferred)
        {
            return preferred;
        }
        NetworkAddress? first = null;
        foreach (var address in nexthop.Interface.Addresses)
        {
            if (address.Address.IsIpv6 || address.IsSecondary || Math.Min(address.Scope, RouteScope.Host) > route.Scope)
            {
                continue;
            }
            if (nexthop.Gateway is not { } gateway || IsIn(gateway, address))
            {
                return address.Address;
            }
            first ??= address.Address;
        }
        return first ?? SelectIpv4OfHost(route.Scope);
    }

    /// <summary>
    /// The source for an IPv6 destination (<c>ipv6_dev_get_saddr</c>, RFC 6724 section 5); null if the host has no address
    /// for it.
    /// </summary>
    /// <param name="outInterface">The interface that the packet leaves by.</param>
    /// <param name="destination">Where it goes.</param>
    public NetworkAddress? SelectIpv6(NetworkInterface outInterface, NetworkAddress destination)
    {
        var onlyOfInterface = destination.IsIpv6Multicast || ScopeOf(destination) <= LinkLocalScope;
        NetworkAddress? best = null;
        Candidate bestCandidate = default;
        foreach (var network in interfaces)
        {
            if (network.Mtu < NetworkInterface.Ipv6MinMtu || (onlyOfInterface && network != outInterface))
            {
                continue;
            }
            foreach (var address in network.Addresses)
            {
                if (!address.Address.IsIpv6 || address.IsTentative)
                {
                    continue;
                }
                var candidate = Evaluate(address, network == outInterface, destination);
                if (best is null || candidate.Rank > bestCandidate.Rank)
                {
                    (best, bestCandidate) = (address.Address, candidate);
                }
            }
        }
        return best;
    }

    private NetworkAddress SelectIpv4OfHost(int scope)
    {
        foreach (var network in interfaces)
        {
            foreach (var address in network.Addresses)
            {
                if (
                    address is { Address.IsIpv6: false, IsSecondary: false, Scope: not RouteScope.Link }
                    && address.Scope <= scope
                )
                {
                    return address.Address;
                }
            }
        }
        return default;
    }

    private static bool IsIn(NetworkAddress address, InterfaceAddress network) =>
        address.Masked(network.PrefixLength) == network.Network.Masked(network.PrefixLength);

    private static Candidate Evaluate(InterfaceAddress address, bool isOfInterface, NetworkAddress destination)
    {
        var scope = ScopeOf(address.Address);
        return new Candidate(
            IsDestination: address.Address == destination,
            // The least scope that is wide enough; of those that are not the widest.
            Scope: scope >= ScopeOf(destination) ? -scope : scope - 128,
            IsPreferred: !address.IsDeprecated || address.Address.IsIpv6Loopback,
            IsOfInterface: isOfInterface,
            HasLabel: LabelOf(address.Address) == LabelOf(destination),
            IsPublic: !address.IsTemporary,
            SharesOrchid: IsOrchid(address.Address) == IsOrchid(destination),
            CommonBits: Math.Min(
                (int)UInt128.LeadingZeroCount(address.Address.Bits ^ destination.Bits),
                address.PrefixLength
            )
        );
    }

    private static int ScopeOf(NetworkAddress address) =>
        address switch
        {
            { IsUnspecified: true } => 0,
            { IsIpv6Multicast: true } => (int)(address.Bits >> 112) & 0xf,
            { IsIpv6LinkLocal: true } or { IsIpv6Loopback: true } => LinkLocalScope,
            _ when address.Bits >> 118 == 0xfec0 >> 6 => SiteLocalScope,
            _ => GlobalScope,
        };

    private static int LabelOf(NetworkAddress address)
    {
        foreach (var (prefix, length, label) in Labels)
        {
            if (address.Masked(length) == prefix)
            {
                return label;
            }
        }
        return -1;
    }

    // RFC 4843
    private static bool IsOrchid(NetworkAddress address) => address.Bits >> 100 == 0x2001001;

    private static (NetworkAddress Prefix, int Length, int Label) Labelled(string prefix, int length, int label) =>
        NetworkAddress.TryParse(prefix, out var address) ? (address, length, label) : throw new FormatException(prefix);

    /// <summary>What speaks for an address, rule after rule of RFC 6724: the first that differs decides.</summary>
    private readonly record struct Candidate(
        bool IsDestination,
        int Scope,
        bool IsPreferred,
        bool IsOfInterface,
        bool HasLabel,
        bool IsPublic,
        bool SharesOrchid,
        int CommonBits
    )
    {
        // The rules as digits of a number, the first the highest; scopes are between -14 and -112, common bits at most 128.
        public long Rank =>
            (IsDestination ? 1L << 32 : 0)
            | (long)(Scope + 128) << 16
            | (IsPreferred ? 1L << 15 : 0)
            | (IsOfInterface ? 1L << 14 : 0)
            | (HasLabel ? 1L << 13 : 0)
            | (IsPublic ? 1L << 12 : 0)
            | (SharesOrchid ? 1L << 11 : 0)
            | (long)CommonBits;
    }
}
