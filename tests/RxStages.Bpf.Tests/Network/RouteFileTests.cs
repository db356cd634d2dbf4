using RxStages.Bpf.Errors;
using RxStages.Bpf.Network;

namespace RxStages.Bpf.Tests.Network;

public class RouteFileTests
{
    private const string Interfaces = """
        2: eth0@if3: <BROADCAST,UP> mtu 1400 qdisc noqueue state UP
            link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff
            inet 10.0.0.1/24 brd 10.0.0.255 scope global eth0
               valid_lft forever preferred_lft forever
            inet6 fe80::1/64 scope link tentative
        3: tun0: <POINTOPOINT,UP> mtu 1420
            link/none

        """;

    [Fact]
    public void InterfacesHaveWhatIpAddrPrints()
    {
        var tables = Read(Interfaces + "inet tun0 forwarding off rp_filter off\n");
        Assert.Equal([1, 2, 3], tables.Interfaces.Select(network => network.Index));
        var ethernet = tables.FindInterface(2)!;
        Assert.Equal(("eth0", 1400, 14), (ethernet.Name, ethernet.Mtu, ethernet.HeaderLength));
        Assert.Equal(0x0200_0000_0001ul, ethernet.HardwareAddress);
        Assert.True(ethernet is { ForwardsIpv4: true, ForwardsIpv6: true });
        Assert.Equal([RouteScope.Universe, RouteScope.Link], ethernet.Addresses.Select(address => address.Scope));
        Assert.Equal([false, true], ethernet.Addresses.Select(address => address.IsTentative));
        Assert.True(tables.FindInterface(3) is { HeaderLength: 0, ForwardsIpv4: false, ForwardsIpv6: true });
    }

    [Fact]
    public void NeighboursThatCannotBeReachedAreNotThere()
    {
        var tables = Read(
            Interfaces
                + """
                10.0.0.2 dev eth0 lladdr 02:00:00:00:00:02 REACHABLE
                10.0.0.3 dev eth0 FAILED
                10.0.0.4 dev eth0 INCOMPLETE
                """
        );
        var ethernet = tables.FindInterface(2)!;
        Assert.True(tables.TryFindNeighbour(ethernet, Address("10.0.0.2"), out var hardware));
        Assert.Equal(0x0200_0000_0002ul, hardware);
        Assert.False(tables.TryFindNeighbour(ethernet, Address("10.0.0.3"), out _));
        Assert.False(tables.TryFindNeighbour(ethernet, Address("10.0.0.4"), out _));
    }

    [Theory]
    [InlineData("10.0.0.0/8 via 10.0.0.2 dev eth1", "line 8: no interface 'eth1'")]
    [InlineData("10.0.0.0/8 via 10.0.0.2", "line 8: the route to 10.0.0.0/8 has no interface")]
    [InlineData("10.0.0.0/33 dev eth0", "line 8: '10.0.0.0/33' is not a route's destination")]
    [InlineData("10.0.0.1/8 dev eth0", "line 8: 10.0.0.1/8 has bits behind its prefix")]
    [InlineData("10.0.0.0/8 dev", "line 8: ends where an interface should be")]
    [InlineData("10.0.0.0/8 dev eth0 table blue", "line 8: the number of table 'blue' is not known")]
    [InlineData("10.0.0.0/8 dev eth0 metric -1", "line 8: '-1' is not a metric")]
    [InlineData("10.0.0.0/8 dev eth0 colour red", "line 8: 'colour' is not supported in a route")]
    [InlineData("fd00::/64 via 10.0.0.2 dev eth0", "line 8: an IPv6 route cannot go by an IPv4 gateway")]
    [InlineData("fd00::/64 from fd01::/64 dev eth0", "line 8: 'from' is not supported in a route")]
    [InlineData("100:\tfrom 10.0.0.0/8 lookup 100", "line 8: policy rules are not supported")]
    [InlineData("2: eth1: <UP> mtu 1500", "line 8: interface 2, eth1: another one has that number or name")]
    [InlineData("0: eth1: <UP> mtu 1500", "line 8: '0:' is not an interface's number")]
    [InlineData("10.0.0.2 dev eth0 lladdr 02:00 STALE", "line 8: '02:00' is not a link layer address")]
    [InlineData("inet eth0 forwarding maybe", "line 8: forwarding is 'on' or 'off', not 'maybe'")]
    public void WhatIsNotUnderstoodIsAnErrorThatNamesTheLine(string line, string reason) =>
        Assert.StartsWith(
            "routes: " + reason,
            Assert.Throws<InputException>(() => Read(Interfaces + line)).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void ARouteHasALimitOfNexthops()
    {
        var nexthops = string.Concat(Enumerable.Repeat(" nexthop via 10.0.0.2 dev eth0", 257));
        var error = Assert.Throws<InputException>(() => Read(Interfaces + "10.9.0.0/16" + nexthops));
        Assert.Contains("256 nexthops", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AFileThatIsNotThereIsAnError() =>
        Assert.Contains(
            "no such file",
            Assert.Throws<InputException>(() => RouteFile.Read("/nowhere.routes")).Message,
            StringComparison.Ordinal
        );

    private static RouteTables Read(string text) => RouteFile.Read(new StringReader(text), "routes");

    private static NetworkAddress Address(string text) =>
        NetworkAddress.TryParse(text, out var address) ? address : throw new FormatException(text);
}
