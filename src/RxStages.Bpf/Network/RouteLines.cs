using System.Collections.Immutable;

namespace RxStages.Bpf.Network;

/// <summary>Reads what <c>ip route show table all</c> prints.</summary>
/// <param name="interfaces">The interfaces that routes name.</param>
internal sealed class RouteLines(InterfaceLines interfaces)
{
    // A kernel's message does not hold more.
    private const int MaxNexthops = 256;

    // The kernel's default for IPv6 (IP6_RT_PRIO_USER).
    private const uint Ipv6Metric = 1024;

    private readonly List<Route> _routes = [];

    // Of the route in progress, whose nexthops may be on lines of their own:
    private TextLine? _line;
    private Route _route = null!;
    private NexthopWords _first = new();
    private readonly List<NexthopWords> _more = [];
    private bool _hasScope;
    private bool _hasMetric;

    /// <summary>Whether a route's first line was the last that was read, so that nexthops may follow.</summary>
    public bool IsInRoute => _line is not null;

    /// <summary>All routes that were read.</summary>
    public List<Route> ToRoutes()
    {
        EndRoute();
        return _routes;
    }

    /// <summary>Reads a route's first line.</summary>
    public void Read(TextLine line)
    {
        EndRoute();
        _line = line;
        (_first, _hasScope, _hasMetric) = (new NexthopWords(), false, false);
        _more.Clear();
        line.StartAt(0);
        var type = ReadType(line);
        var (destination, length) = line.TakeIf("default")
            ? (new NetworkAddress(IsIpv6Default(line), 0), 0)
            : line.TakePrefix("a route's destination");
        if (destination != destination.Masked(length))
        {
            throw line.Error($"{destination}/{length} has bits behind its prefix");
        }
        _route = new Route
        {
            Type = type,
            Destination = destination,
            PrefixLength = length,
            Table = type is RouteType.Local or RouteType.Broadcast or RouteType.Anycast
                ? Route.LocalTable
                : Route.MainTable,
        };
        ReadAttributes(line, _first);
    }

    /// <summary>Reads a line with a nexthop of the route in progress.</summary>
    public void ReadNexthop(TextLine line)
    {
        line.StartAt(0);
        ReadAttributes(line, _first);
    }

    /// <summary>Ends the route in progress.</summary>
    public void EndRoute()
    {
        if (_line is not { } line)
        {
            return;
        }
        _line = null;
        if (_more.Count == 0 && _first.Device is not null)
        {
            _more.Add(_first);
        }
        if (_more.Count == 0 && _route.Type == RouteType.Unicast)
        {
            throw line.Error($"the route to {_route.Destination}/{_route.PrefixLength} has no interface ('dev')");
        }
        var nexthops = _more.Select(words => ToNexthop(line, words)).ToImmutableArray();
        var isIpv6 = _route.Destination.IsIpv6;
        var isOnLink = _route.Type == RouteType.Unicast && nexthops.All(nexthop => nexthop.Gateway is null);
        _routes.Add(
            _route with
            {
                Nexthops = nexthops,
                Metric = _hasMetric || !isIpv6 ? _route.Metric : Ipv6Metric,
                Scope =
                    _hasScope ? _route.Scope
                    : _route.Type == RouteType.Local ? RouteScope.Host
                    : isOnLink ? RouteScope.Link
                    : RouteScope.Universe,
            }
        );
    }

    /// <summary>Reads a scope's name or number.</summary>
    public static int ReadScope(TextLine line)
    {
        var known = line.Peek() switch
        {
            "global" or "universe" => RouteScope.Universe,
            "site" => RouteScope.Site,
            "link" => RouteScope.Link,
            "host" => RouteScope.Host,
            "nowhere" => RouteScope.Nowhere,
            _ => -1,
        };
        if (known < 0)
        {
            return (int)line.TakeNumber("a scope", RouteScope.Nowhere);
        }
        _ = line.Take("a scope");
        return known;
    }

    private static RouteType ReadType(TextLine line)
    {
        RouteType? type = line.Peek() switch
        {
            "unicast" => RouteType.Unicast,
            "local" => RouteType.Local,
            "broadcast" => RouteType.Broadcast,
            "anycast" => RouteType.Anycast,
            "multicast" => RouteType.Multicast,
            "blackhole" => RouteType.Blackhole,
            "unreachable" => RouteType.Unreachable,
            "prohibit" => RouteType.Prohibit,
            "throw" => RouteType.Throw,
            _ => null,
        };
        if (type is not null)
        {
            _ = line.Take("a type");
        }
        return type ?? RouteType.Unicast;
    }

    // Only what else the line says tells of which family a default route is.
    private static bool IsIpv6Default(TextLine line)
    {
        for (var i = 0; i + 1 < line.Words.Length; i++)
        {
            var isIpv6 = line.Words[i] switch
            {
                "pref" => true,
                "via" or "src" => line.Words[i + 1].Contains(':'),
                _ => false,
            };
            if (isIpv6)
            {
                return true;
            }
        }
        return false;
    }

    private void ReadAttributes(TextLine line, NexthopWords nexthop)
    {
        while (!line.IsAtEnd)
        {
            var word = line.Take("an attribute");
            if (word != "nexthop")
            {
                ReadAttribute(line, word, nexthop);
                continue;
            }
            if (_more.Count == MaxNexthops)
            {
                throw line.Error($"the limit is {MaxNexthops} nexthops a route");
            }
            nexthop = new NexthopWords();
            _more.Add(nexthop);
        }
    }

    private void ReadAttribute(TextLine line, string word, NexthopWords nexthop)
    {
        switch (word)
        {
            case "via":
                _ = line.TakeIf("inet") || line.TakeIf("inet6");
                nexthop.Gateway = line.TakeAddress("a gateway");
                if (_route.Destination.IsIpv6 && !nexthop.Gateway.Value.IsIpv6)
                {
                    throw line.Error("an IPv6 route cannot go by an IPv4 gateway");
                }
                break;
            case "dev":
                nexthop.Device = line.Take("an interface");
                break;
            case "weight":
                nexthop.Weight = (int)line.TakeNumber("a weight", 65_536);
                break;
            case "dead":
                nexthop.IsDead = true;
                break;
            case "encap":
                nexthop.HasEncapsulation = true;
                while (!line.IsAtEnd && line.Peek() is not ("via" or "dev"))
                {
                    _ = line.Take("how to encapsulate");
                }
                break;
            case "table":
                _route = _route with { Table = ReadTable(line) };
                break;
            case "scope":
                _route = _route with { Scope = ReadScope(line) };
                _hasScope = true;
                break;
            case "src":
                _route = _route with { PreferredSource = ReadSource(line) };
                break;
            case "metric" or "preference" or "priority":
                _route = _route with { Metric = line.TakeNumber("a metric") };
                _hasMetric = true;
                break;
            case "tos" or "dsfield":
                _route = _route with { TypeOfService = (int)line.TakeNumber("a type of service", 255) & 0xfc };
                break;
            case "mtu":
                // One that is not locked does not count when packets are forwarded.
                var isLocked = line.TakeIf("lock");
                var mtu = (int)line.TakeNumber("an MTU", ushort.MaxValue + 40);
                _route = _route with { LockedMtu = isLocked ? mtu : 0 };
                break;
            case "pref":
                _route = _route with { Preference = ReadPreference(line) };
                break;
            case "proto"
            or "protocol"
            or "nhid"
            or "expires"
            or "error"
            or "realm"
            or "realms"
            or "advmss"
            or "window"
            or "rtt"
            or "rttvar"
            or "ssthresh"
            or "cwnd"
            or "initcwnd"
            or "initrwnd"
            or "hoplimit"
            or "reordering"
            or "rto_min"
            or "quickack"
            or "features"
            or "congctl"
            or "fastopen_no_cookie"
            or "ttl-propagate":
                // What forwarding does not ask.
                _ = line.TakeIf("lock");
                _ = line.Take($"the value of '{word}'");
                break;
            case "onlink"
            or "linkdown"
            or "pervasive"
            or "offload"
            or "trap"
            or "offload_failed"
            or "rt_offload"
            or "rt_trap"
            or "rt_offload_failed"
            or "notify"
            or "unresolved"
            or "inet"
            or "inet6":
                break;
            default:
                throw line.Error($"'{word}' is not supported in a route");
        }
    }

    private static uint ReadTable(TextLine line)
    {
        uint? known = line.Peek() switch
        {
            "local" => Route.LocalTable,
            "main" => Route.MainTable,
            "default" => Route.DefaultTable,
            _ => null,
        };
        if (known is not null)
        {
            _ = line.Take("a table");
        }
        else if (!char.IsAsciiDigit(line.Peek().FirstOrDefault('0')))
        {
            throw line.Error($"the number of table '{line.Peek()}' is not known: 'ip -N route' prints it");
        }
        return known ?? line.TakeNumber("a table");
    }

    private NetworkAddress ReadSource(TextLine line)
    {
        var address = line.TakeAddress("a source address");
        return address.IsIpv6 == _route.Destination.IsIpv6
            ? address
            : throw line.Error($"source address {address} is not of the destination's family");
    }

    private static int ReadPreference(TextLine line) =>
        line.Take("a preference") switch
        {
            "low" => 1,
            "medium" => 2,
            "high" => 3,
            var other => throw line.Error($"'{other}' is not a preference: low, medium or high"),
        };

    private Nexthop ToNexthop(TextLine line, NexthopWords words) =>
        new()
        {
            Interface = interfaces.Find(
                line,
                words.Device
                    ?? throw line.Error(
                        $"a nexthop of {_route.Destination}/{_route.PrefixLength} has no interface ('dev')"
                    )
            ),
            Gateway = words.Gateway,
            Weight = Math.Max(words.Weight, 1),
            IsDead = words.IsDead,
            HasEncapsulation = words.HasEncapsulation,
        };

    private sealed class NexthopWords
    {
        public string? Device;
        public NetworkAddress? Gateway;
        public int Weight;
        public bool IsDead;
        public bool HasEncapsulation;
    }
}
