using System.Collections.Immutable;

namespace RxStages.Bpf.Network;

/// <summary>Types of routes (<c>RTN_*</c>).</summary>
public enum RouteType
{
    /// <summary>To a neighbour or a gateway.</summary>
    Unicast,

    /// <summary>To the host itself.</summary>
    Local,

    /// <summary>Delivered here, sent as broadcast.</summary>
    Broadcast,

    /// <summary>To one of several hosts.</summary>
    Anycast,

    /// <summary>To a group.</summary>
    Multicast,

    /// <summary>Dropped in silence.</summary>
    Blackhole,

    /// <summary>Dropped with "host unreachable".</summary>
    Unreachable,

    /// <summary>Dropped with "prohibited".</summary>
    Prohibit,

    /// <summary>Not in this table: the next one is asked.</summary>
    Throw,
}

/// <summary>How far away destinations are (<c>RT_SCOPE_*</c>).</summary>
public static class RouteScope
{
    /// <summary>Anywhere.</summary>
    public const int Universe = 0;

    /// <summary>Within the site.</summary>
    public const int Site = 200;

    /// <summary>On the link.</summary>
    public const int Link = 253;

    /// <summary>The host itself.</summary>
    public const int Host = 254;

    /// <summary>Nowhere.</summary>
    public const int Nowhere = 255;
}

/// <summary>A route of one of the tables.</summary>
public sealed record Route
{
    /// <summary>The table's number: <see cref="MainTable"/> for most.</summary>
    public uint Table { get; init; } = MainTable;

    /// <summary>Its type.</summary>
    public RouteType Type { get; init; }

    /// <summary>Destinations: an address whose first <see cref="PrefixLength"/> bits count; the others are zero.</summary>
    public required NetworkAddress Destination { get; init; }

    /// <summary>How many bits of a destination count.</summary>
    public required int PrefixLength { get; init; }

    /// <summary>IPv4: only for packets of this type of service (DSCP, in the upper six bits); 0 for all.</summary>
    public int TypeOfService { get; init; }

    /// <summary>Of routes to the same destination the one with the least is taken (<c>RTA_PRIORITY</c>).</summary>
    public uint Metric { get; init; }

    /// <summary>IPv4: the distance to destinations, a number of <see cref="RouteScope"/>.</summary>
    public int Scope { get; init; }

    /// <summary>The source address for packets that the host sends, if the route says one (<c>RTA_PREFSRC</c>).</summary>
    public NetworkAddress? PreferredSource { get; init; }

    /// <summary>The MTU that the route locks (<c>mtu lock N</c>); 0 for the interface's.</summary>
    public int LockedMtu { get; init; }

    /// <summary>IPv6: the router's preference (RFC 4191), as the kernel ranks it: 1 low, 2 medium, 3 high.</summary>
    public int Preference { get; init; } = 2;

    /// <summary>Where packets go; none for routes that drop them.</summary>
    public ImmutableArray<Nexthop> Nexthops { get; init; } = [];

    /// <summary><c>RT_TABLE_DEFAULT</c></summary>
    public const uint DefaultTable = 253;

    /// <summary><c>RT_TABLE_MAIN</c></summary>
    public const uint MainTable = 254;

    /// <summary><c>RT_TABLE_LOCAL</c></summary>
    public const uint LocalTable = 255;
}

/// <summary>Where a route sends packets.</summary>
public sealed record Nexthop
{
    /// <summary>The interface that they leave by.</summary>
    public required NetworkInterface Interface { get; init; }

    /// <summary>The router that they are sent to; null when the destination is on the link. May be IPv6 for an IPv4 route.</summary>
    public NetworkAddress? Gateway { get; init; }

    /// <summary>Its share of the route's flows, relative to the other nexthops; at least 1.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>Not to be used now (<c>RTNH_F_DEAD</c>).</summary>
    public bool IsDead { get; init; }

    /// <summary>Packets must be encapsulated (<c>RTA_ENCAP</c>).</summary>
    public bool HasEncapsulation { get; init; }
}
