using RxStages.Bpf.Errors;

namespace RxStages.Bpf.Network;

/// <summary>
/// Reads interfaces, routes and neighbours from what <c>ip addr</c>, <c>ip route show table all</c>, <c>ip neigh</c> and
/// <c>ip netconf</c> print, one after the other in one file. <c>docs/network-files.md</c> has the format.
/// </summary>
public static class RouteFile
{
    /// <summary>Reads a file.</summary>
    /// <exception cref="InputException">It cannot be read, or a line of it is not understood.</exception>
    public static RouteTables Read(string path) => TextLine.ReadFile(path, Read);

    /// <summary>Reads a text.</summary>
    /// <param name="reader">The text.</param>
    /// <param name="source">What errors call it.</param>
    /// <exception cref="InputException">A line of it is not understood.</exception>
    public static RouteTables Read(TextReader reader, string source)
    {
        // Routes may come before the interfaces that they name.
        var interfaces = new InterfaceLines();
        var others = new List<TextLine>();
        var isInInterface = false;
        foreach (var line in TextLine.ReadAll(reader, source))
        {
            if (InterfaceLines.IsHeader(line))
            {
                interfaces.ReadHeader(line);
                isInInterface = true;
            }
            else if (line.IsIndented && isInInterface)
            {
                interfaces.ReadDetail(line);
            }
            else
            {
                others.Add(line);
                isInInterface = false;
            }
        }
        foreach (var line in others.Where(InterfaceLines.IsConfiguration))
        {
            interfaces.ReadConfiguration(line);
        }
        var routes = new RouteLines(interfaces);
        var neighbours = new List<Neighbour>();
        foreach (var line in others.Where(line => !InterfaceLines.IsConfiguration(line)))
        {
            ReadLine(line, interfaces, routes, neighbours);
        }
        return new RouteTables(interfaces.ToInterfaces(), routes.ToRoutes(), neighbours);
    }

    private static void ReadLine(
        TextLine line,
        InterfaceLines interfaces,
        RouteLines routes,
        List<Neighbour> neighbours
    )
    {
        if (line.IsIndented && routes.IsInRoute && line.Words[0] == "nexthop")
        {
            routes.ReadNexthop(line);
            return;
        }
        routes.EndRoute();
        if (line.Words is [[.., ':'], "from", ..])
        {
            CheckRule(line);
        }
        else if (line.Words.Any(IsNeighbourState))
        {
            if (ReadNeighbour(line, interfaces) is { } neighbour)
            {
                neighbours.Add(neighbour);
            }
        }
        else
        {
            routes.Read(line);
        }
    }

    // Those that every host has from the start are known; they may be there, as 'ip rule' prints them.
    private static void CheckRule(TextLine line)
    {
        if (line.Words is not [_, _, "all", "lookup", "local" or "main" or "default"])
        {
            throw line.Error("policy rules are not supported, but for those that every host has");
        }
    }

    // Include those that cannot be reached: nud_state of include/net/neighbour.h.
    private static bool IsNeighbourState(string word) =>
        IsReachable(word) || word is "INCOMPLETE" or "FAILED" or "NONE";

    private static bool IsReachable(string word) =>
        word is "PERMANENT" or "NOARP" or "REACHABLE" or "STALE" or "DELAY" or "PROBE";

    private static Neighbour? ReadNeighbour(TextLine line, InterfaceLines interfaces)
    {
        line.StartAt(0);
        var address = line.TakeAddress("a neighbour's address");
        NetworkInterface? network = null;
        var hardware = 0ul;
        while (!line.IsAtEnd)
        {
            switch (line.Take("an attribute"))
            {
                case "dev":
                    network = interfaces.Find(line, line.Take("an interface"));
                    break;
                case "lladdr":
                    var text = line.Take("a link layer address");
                    if (!TextLine.TryReadHardwareAddress(text, out hardware))
                    {
                        throw line.Error($"'{text}' is not a link layer address like 02:00:00:00:00:01");
                    }
                    break;
                default:
                    break;
            }
        }
        if (network is null)
        {
            throw line.Error($"neighbour {address} has no interface ('dev')");
        }
        return line.Words.Any(IsReachable) ? new Neighbour(network.Index, address, hardware) : null;
    }
}
