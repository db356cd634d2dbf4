using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Network;

/// <summary>What a lookup found: a route and one of its nexthops, or why not.</summary>
/// <param name="Route">The route, or null.</param>
/// <param name="Nexthop">The nexthop, or null: routes that drop packets have none.</param>
/// <param name="Error">0, or a negated error number.</param>
internal readonly record struct RouteMatch(Route? Route, Nexthop? Nexthop, int Error);

/// <summary>
/// The IPv4 routing tables, after <c>net/ipv4/fib_trie.c</c> and <c>fib_frontend.c</c>, with the rules that a host has from
/// the start. Local addresses are then in the main table too: the kernel merges both as long as nobody adds a rule.
/// </summary>
internal sealed class Ipv4Routes
{
    private readonly Dictionary<uint, PrefixTable> _tables;

    public Ipv4Routes(IEnumerable<Route> routes)
    {
        _tables = routes
            .GroupBy(route => route.Table == Route.LocalTable ? Route.MainTable : route.Table)
            .ToDictionary(
                table => table.Key,
                table => new PrefixTable(
                    table.OrderByDescending(route => route.TypeOfService).ThenBy(route => route.Metric)
                )
            );
        if (_tables.TryGetValue(Route.MainTable, out var main))
        {
            _tables[Route.LocalTable] = main;
        }
    }

    /// <summary>Looks up a destination as the rules say (<c>fib_lookup</c>): in the main table, then in the default one.</summary>
    public RouteMatch Lookup(NetworkAddress destination, int typeOfService, int outInterface)
    {
        var match = LookupTable(Route.MainTable, destination, typeOfService, outInterface);
        if (match.Error != 0 && _tables.ContainsKey(Route.DefaultTable))
        {
            match = LookupTable(Route.DefaultTable, destination, typeOfService, outInterface);
        }
        return match.Error == -Errno.EAGAIN ? match with { Error = -Errno.ENETUNREACH } : match;
    }

    /// <summary>Looks up a destination in one table (<c>fib_table_lookup</c>); EAGAIN when there is no route, and no such table.</summary>
    /// <param name="table">The table's number.</param>
    /// <param name="destination">An IPv4 address.</param>
    /// <param name="typeOfService">The packet's, of which the upper six bits count.</param>
    /// <param name="outInterface">Only routes by this interface; 0 for any.</param>
    public RouteMatch LookupTable(uint table, NetworkAddress destination, int typeOfService, int outInterface)
    {
        if (!_tables.TryGetValue(table, out var prefixes))
        {
            return new(null, null, -Errno.EAGAIN);
        }
        for (var position = 0; position < prefixes.LengthCount; position++)
        {
            foreach (var route in prefixes.Find(destination, position))
            {
                if (route.TypeOfService != 0 && route.TypeOfService != (typeOfService & 0xfc))
                {
                    continue;
                }
                if (ErrorOf(route.Type) is var error && error != 0)
                {
                    return new(route, null, error);
                }
                foreach (var nexthop in route.Nexthops)
                {
                    if (!nexthop.IsDead && (outInterface == 0 || outInterface == nexthop.Interface.Index))
                    {
                        return new(route, nexthop, 0);
                    }
                }
            }
        }
        return new(null, null, -Errno.EAGAIN);
    }

    /// <summary>
    /// Of a route with several nexthops that of a flow (<c>fib_select_multipath</c>); the one that has the source address is
    /// preferred.
    /// </summary>
    public static Nexthop SelectNexthop(RouteMatch match, NetworkAddress source, uint hash, SourceAddresses sources)
    {
        var (best, bestScore) = (match.Nexthop!, 0);
        for (var i = 0; i < match.Route!.Nexthops.Length; i++)
        {
            var nexthop = match.Route.Nexthops[i];
            var hasSource = !source.IsUnspecified && sources.SelectIpv4(match.Route, nexthop) == source;
            var score = (hasSource ? 2 : 0) + (Multipath.Takes(match.Route, i, hash) ? 1 : 0);
            if (score > bestScore)
            {
                (best, bestScore) = (nexthop, score);
            }
        }
        return best;
    }

    // fib_props
    private static int ErrorOf(RouteType type) =>
        type switch
        {
            RouteType.Blackhole => -Errno.EINVAL,
            RouteType.Unreachable => -Errno.EHOSTUNREACH,
            RouteType.Prohibit => -Errno.EACCES,
            RouteType.Throw => -Errno.EAGAIN,
            _ => 0,
        };
}
