using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Network;

/// <summary>The IPv6 routing tables, after <c>net/ipv6/route.c</c> and <c>fib6_rules.c</c>, with the rules that a host has from the start.</summary>
internal sealed class Ipv6Routes
{
    private readonly Dictionary<uint, PrefixTable> _tables;

    public Ipv6Routes(IEnumerable<Route> routes) =>
        _tables = routes
            .GroupBy(route => route.Table)
            .ToDictionary(table => table.Key, table => new PrefixTable(table.OrderBy(route => route.Metric)));

    /// <summary>Looks up a destination as the rules say (<c>fib6_lookup</c>): in the local table, then in the main one.</summary>
    public RouteMatch Lookup(NetworkAddress destination, int nearInterface)
    {
        var match = LookupTable(Route.LocalTable, destination, nearInterface);
        return match.Error == 0 ? match : LookupTable(Route.MainTable, destination, nearInterface);
    }

    /// <summary>
    /// Looks up a destination in one table (<c>fib6_table_lookup</c>); ENETUNREACH when there is no route. Of routes to one
    /// destination with one metric the router's preference decides, then the interface.
    /// </summary>
    /// <param name="table">The table's number.</param>
    /// <param name="destination">An IPv6 address.</param>
    /// <param name="nearInterface">The interface whose routes are preferred: also for packets that came in by it.</param>
    public RouteMatch LookupTable(uint table, NetworkAddress destination, int nearInterface)
    {
        if (_tables.TryGetValue(table, out var prefixes))
        {
            for (var position = 0; position < prefixes.LengthCount; position++)
            {
                if (Select(prefixes.Find(destination, position), nearInterface) is { Error: 0 } match)
                {
                    return match;
                }
            }
        }
        return new(null, null, -Errno.ENETUNREACH);
    }

    /// <summary>Of a route with several nexthops that of a flow (<c>fib6_select_path</c>).</summary>
    public static Nexthop? SelectNexthop(RouteMatch match, uint hash)
    {
        for (var i = 0; i < match.Route!.Nexthops.Length; i++)
        {
            if (Multipath.Takes(match.Route, i, hash))
            {
                return match.Route.Nexthops[i];
            }
        }
        return match.Nexthop;
    }

    // rt6_select: the routes come in the order of their metrics.
    private static RouteMatch Select(ReadOnlySpan<Route> routes, int nearInterface)
    {
        var best = new RouteMatch(null, null, -Errno.ENETUNREACH);
        var bestScore = -1;
        foreach (var route in routes)
        {
            if (best.Route is { } found && found.Metric != route.Metric)
            {
                break;
            }
            if (route.Nexthops.IsEmpty)
            {
                Consider(route, null, ScoreOf(route, nearInterface == NetworkInterface.Loopback.Index));
            }
            foreach (var nexthop in route.Nexthops)
            {
                if (!nexthop.IsDead)
                {
                    Consider(route, nexthop, ScoreOf(route, nexthop.Interface.Index == nearInterface));
                }
            }
        }
        return best;

        void Consider(Route route, Nexthop? nexthop, int score)
        {
            if (score > bestScore)
            {
                (best, bestScore) = (new(route, nexthop, 0), score);
            }
        }
    }

    // rt6_score_route
    private static int ScoreOf(Route route, bool isNear) => (route.Preference << 2) | (isNear ? 2 : 0);
}
