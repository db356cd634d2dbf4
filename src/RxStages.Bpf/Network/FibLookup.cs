using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Network;

/// <summary>Carries out <c>bpf_fib_lookup</c>, after <c>bpf_ipv4_fib_lookup</c> and <c>bpf_ipv6_fib_lookup</c> of <c>net/core/filter.c</c>.</summary>
internal static unsafe class FibLookup
{
    // AF_INET, AF_INET6
    private const byte Ipv4 = 2;
    private const byte Ipv6 = 10;

    // IP_MAX_MTU, IP6_MAX_MTU
    private const int Ipv4MaxMtu = 0xffff;
    private const int Ipv6MaxMtu = 0xffff + 40;

    /// <summary>Asks.</summary>
    /// <returns>A <see cref="FibLookupResult"/>, or a negated error number.</returns>
    public static int Run(
        NetworkEnvironment network,
        XdpBuff* packet,
        BpfFibLookup* query,
        int size,
        FibLookupFlags flags
    )
    {
        if (size < BpfFibLookup.Size || (flags & ~FibLookupFlags.All) != FibLookupFlags.None)
        {
            return -Errno.EINVAL;
        }
        return query->Family switch
        {
            Ipv4 => RunIpv4(network, packet, query, flags),
            Ipv6 => RunIpv6(network, packet, query, flags),
            _ => -Errno.EAFNOSUPPORT,
        };
    }

    private static int RunIpv4(NetworkEnvironment network, XdpBuff* packet, BpfFibLookup* query, FibLookupFlags flags)
    {
        if (network.FindInterface(query->Ifindex, packet) is not { } from)
        {
            return -Errno.ENODEV;
        }
        if (!from.ForwardsIpv4)
        {
            return (int)FibLookupResult.ForwardingDisabled;
        }
        var routes = network.Routes;
        var source = NetworkAddress.Read(query->Source, isIpv6: false);
        var destination = NetworkAddress.Read(query->Destination, isIpv6: false);
        var outInterface = (flags & FibLookupFlags.Output) != FibLookupFlags.None ? from.Index : 0;
        var match =
            (flags & FibLookupFlags.Direct) != FibLookupFlags.None
                ? routes.Ipv4.LookupTable(TakeTable(query, flags), destination, query->TypeOfService, outInterface)
                : routes.Ipv4.Lookup(destination, query->TypeOfService, outInterface);
        if (match.Error != 0 || match is not { Route: { Type: RouteType.Unicast } route, Nexthop: { } nexthop })
        {
            return (int)(
                match.Error switch
                {
                    -Errno.EINVAL => FibLookupResult.Blackhole,
                    -Errno.EHOSTUNREACH => FibLookupResult.Unreachable,
                    -Errno.EACCES => FibLookupResult.Prohibit,
                    _ => FibLookupResult.NotForwarded,
                }
            );
        }
        if (route.Nexthops.Length > 1 && outInterface == 0)
        {
            var hash = Multipath.HashOf(network.MultipathKey, source, destination, query->L4Protocol);
            nexthop = Ipv4Routes.SelectNexthop(match, source, hash, routes.Sources);
        }
        var mtu = route.LockedMtu != 0 ? route.LockedMtu : Math.Min(nexthop.Interface.Mtu, Ipv4MaxMtu);
        if (CheckNexthop(query, nexthop, mtu) is var refused && refused != FibLookupResult.Success)
        {
            return (int)refused;
        }
        query->Metric = route.Metric;
        query->Ifindex = (uint)nexthop.Interface.Index;
        if ((flags & FibLookupFlags.Source) != FibLookupFlags.None)
        {
            routes.Sources.SelectIpv4(route, nexthop).Write(query->Source);
        }
        var neighbour = nexthop.Gateway ?? destination;
        neighbour.Write(query->Destination);
        query->Family = neighbour.IsIpv6 ? Ipv6 : Ipv4;
        return (int)Finish(query, routes, nexthop, neighbour, mtu, flags);
    }

    private static int RunIpv6(NetworkEnvironment network, XdpBuff* packet, BpfFibLookup* query, FibLookupFlags flags)
    {
        var source = NetworkAddress.Read(query->Source, isIpv6: true);
        var destination = NetworkAddress.Read(query->Destination, isIpv6: true);
        if (IsOfLink(source) || IsOfLink(destination))
        {
            return (int)FibLookupResult.NotForwarded;
        }
        if (network.FindInterface(query->Ifindex, packet) is not { } from)
        {
            return -Errno.ENODEV;
        }
        if (!from.ForwardsIpv6 || from.Mtu < NetworkInterface.Ipv6MinMtu)
        {
            return (int)FibLookupResult.ForwardingDisabled;
        }
        var routes = network.Routes;
        var match =
            (flags & FibLookupFlags.Direct) != FibLookupFlags.None
                ? routes.Ipv6.LookupTable(TakeTable(query, flags), destination, from.Index)
                : routes.Ipv6.Lookup(destination, from.Index);
        if (match.Route is not { } route)
        {
            return (int)FibLookupResult.NotForwarded;
        }
        if (route.Type != RouteType.Unicast || match.Nexthop is not { } nexthop)
        {
            return (int)(
                route.Type switch
                {
                    RouteType.Blackhole => FibLookupResult.Blackhole,
                    RouteType.Unreachable => FibLookupResult.Unreachable,
                    RouteType.Prohibit => FibLookupResult.Prohibit,
                    _ => FibLookupResult.NotForwarded,
                }
            );
        }
        if (route.Nexthops.Length > 1 && (flags & FibLookupFlags.Output) == FibLookupFlags.None)
        {
            var hash = Multipath.HashOf(network.MultipathKey, source, destination, query->L4Protocol);
            nexthop = Ipv6Routes.SelectNexthop(match, hash) ?? nexthop;
        }
        var mtu = route.LockedMtu != 0 ? route.LockedMtu : Math.Min(nexthop.Interface.Mtu, Ipv6MaxMtu);
        if (CheckNexthop(query, nexthop, mtu) is var refused && refused != FibLookupResult.Success)
        {
            return (int)refused;
        }
        var neighbour = nexthop.Gateway ?? destination;
        neighbour.Write(query->Destination);
        query->Metric = route.Metric;
        query->Ifindex = (uint)nexthop.Interface.Index;
        if ((flags & FibLookupFlags.Source) != FibLookupFlags.None)
        {
            if ((route.PreferredSource ?? routes.Sources.SelectIpv6(nexthop.Interface, destination)) is not { } chosen)
            {
                return (int)FibLookupResult.NoSourceAddress;
            }
            chosen.Write(query->Source);
        }
        return (int)Finish(query, routes, nexthop, neighbour, mtu, flags);
    }

    // The kernel answers with VLAN fields where the question has the table: 0, as it knows of no VLAN.
    private static uint TakeTable(BpfFibLookup* query, FibLookupFlags flags)
    {
        if ((flags & FibLookupFlags.TableId) == FibLookupFlags.None)
        {
            return Route.MainTable;
        }
        var table = query->Table;
        query->Table = 0;
        return table == 0 ? Route.MainTable : table;
    }

    private static FibLookupResult CheckNexthop(BpfFibLookup* query, Nexthop nexthop, int mtu)
    {
        if (query->TotalLength > mtu)
        {
            query->TotalLength = (ushort)mtu;
            return FibLookupResult.FragmentationNeeded;
        }
        return nexthop.HasEncapsulation ? FibLookupResult.UnsupportedEncapsulation : FibLookupResult.Success;
    }

    private static FibLookupResult Finish(
        BpfFibLookup* query,
        RouteTables routes,
        Nexthop nexthop,
        NetworkAddress neighbour,
        int mtu,
        FibLookupFlags flags
    )
    {
        if ((flags & FibLookupFlags.SkipNeighbour) == FibLookupFlags.None)
        {
            if (!routes.TryFindNeighbour(nexthop.Interface, neighbour, out var hardwareAddress))
            {
                return FibLookupResult.NoNeighbour;
            }
            WriteHardwareAddress(query->DestinationHardware, hardwareAddress);
            WriteHardwareAddress(query->SourceHardware, nexthop.Interface.HardwareAddress);
        }
        query->Table = 0;
        query->TotalLength = (ushort)mtu;
        return FibLookupResult.Success;
    }

    // rt6_need_strict: what never leaves a link is not forwarded.
    private static bool IsOfLink(NetworkAddress address) =>
        address.IsIpv6Multicast || address.IsIpv6LinkLocal || address.IsIpv6Loopback;

    private static void WriteHardwareAddress(byte* bytes, ulong address)
    {
        for (var i = 0; i < 6; i++)
        {
            bytes[i] = (byte)(address >> (8 * (5 - i)));
        }
    }
}
