using RxStages.Bpf.Network;
using RxStages.Bpf.Programs;
using RxStages.KernelOracle.Tests.Helpers;

namespace RxStages.KernelOracle.Tests.Network;

/// <summary>Routes and interfaces of a namespace, and the same read from what <c>ip</c> prints of them.</summary>
public class RouteTests
{
    // BPF_FIB_LOOKUP_*
    private const uint Direct = 1;
    private const uint Output = 2;
    private const uint SkipNeighbour = 4;
    private const uint TableId = 8;
    private const uint ChooseSource = 16;
    private const uint Mark = 32;

    // Interfaces, in the order in which they are made.
    private const uint Lo = 1;
    private const uint Left = 2;
    private const uint Right = 3;
    private const uint Closed = 4;
    private const uint Narrow = 5;

    private static readonly string[] s_setup =
    [
        "ip link set lo up",
        "ip link add left index 2 address 02:00:00:00:00:01 mtu 1500 type veth peer name right index 3 address 02:00:00:00:00:02 mtu 1400",
        "ip link add closed index 4 address 02:00:00:00:00:03 type veth peer name narrow index 5 address 02:00:00:00:00:04 mtu 1000",
        "ip link set left up",
        "ip link set right up",
        "ip link set closed up",
        "ip link set narrow up",
        "ip addr add 10.0.0.1/24 dev left",
        "ip addr add 10.0.0.7/24 dev left",
        "ip addr add 10.0.9.1/32 peer 10.0.9.2 dev left",
        "ip addr add 10.0.1.1/24 dev right",
        "ip addr add 10.0.2.1/24 scope link dev closed",
        "ip addr add fd00::1/64 dev left nodad",
        "ip addr add fd00::77/64 dev left nodad preferred_lft 0",
        "ip addr add fd00:0:0:1::1/64 dev right nodad",
        "ip addr add 2001:db8::1/64 dev right nodad",
        "ip route add default via 10.0.0.2 dev left metric 100",
        "ip route add default via 10.0.1.2 dev right metric 200",
        "ip route add 10.1.0.0/16 via 10.0.1.2",
        "ip route add 10.1.1.0/24 via 10.0.0.2 mtu lock 1300",
        "ip route add 10.1.2.0/24 via 10.0.0.2 mtu 1300 src 10.0.0.7",
        "ip route add 10.1.3.0/24 tos 0x10 via 10.0.0.2",
        "ip route add 10.1.3.0/24 via 10.0.1.2 metric 7",
        "ip route add 10.1.4.0/24 via inet6 fe80::9 dev left",
        "ip route add 10.1.5.0/24 via inet6 fd00::2 dev left",
        "ip route add 10.1.6.0/24 dev closed",
        "ip route add blackhole 10.2.0.0/24",
        "ip route add unreachable 10.2.1.0/24",
        "ip route add prohibit 10.2.2.0/24",
        "ip route add throw 10.2.3.0/24",
        "ip route add 10.3.0.0/16 nexthop via 10.0.0.2 dev left weight 3 nexthop via 10.0.1.2 dev right",
        "ip route add 10.4.0.0/16 encap ip id 7 dst 10.0.0.9 dev left",
        "ip route add 10.5.0.0/16 via 10.0.0.2 table 100",
        "ip route add blackhole 10.5.1.0/24 table 100",
        "ip -6 route add default via fd00::2 dev left",
        "ip -6 route add fd01::/64 via fd00:0:0:1::2 mtu lock 1350",
        "ip -6 route add fd02::/64 via fd00::2 metric 50",
        "ip -6 route add fd02::/64 via fd00:0:0:1::2 metric 60",
        "ip -6 route add fd03::/64 dev left metric 70",
        "ip -6 route append fd03::/64 dev right metric 70",
        "ip -6 route add fd04::/64 via fd00::2 src fd00::77",
        "ip -6 route add blackhole fd05::/64",
        "ip -6 route add unreachable fd05:0:0:1::/64",
        "ip -6 route add prohibit fd05:0:0:2::/64",
        "ip -6 route add throw fd05:0:0:3::/64",
        "ip -6 route add fd06::/64 nexthop via fd00::2 dev left nexthop via fd00:0:0:1::2 dev right",
        "ip -6 route add fd07::/64 via fd00::2 table 100",
        "ip -6 route add fd08::/64 encap ip6 id 7 dst fd00::9 dev left",
        "ip -6 route add fd09::/64 dev left pref low",
        "ip -6 route append fd09::/64 dev right pref high",
        "ip neigh add 10.0.0.2 lladdr 02:00:00:00:01:01 dev left",
        "ip neigh add 10.0.1.2 lladdr 02:00:00:00:01:02 dev right nud stale",
        "ip neigh add 10.0.0.3 lladdr 02:00:00:00:01:03 dev left nud failed",
        "ip neigh add 10.1.6.6 lladdr 02:00:00:00:01:06 dev closed",
        "ip -6 neigh add fd00::2 lladdr 02:00:00:00:02:01 dev left",
        "ip -6 neigh add fe80::9 lladdr 02:00:00:00:02:09 dev left",
        "ip -6 neigh add fd00:0:0:1::2 lladdr 02:00:00:00:02:02 dev right nud reachable",
        "ip -6 neigh add fd03::9 lladdr 02:00:00:00:02:03 dev right",
    ];

    private static readonly string[] s_show =
    [
        "ip -d addr",
        "ip route show table all",
        "ip -6 route show table all",
        "ip neigh show nud all",
        "ip -4 netconf",
        "ip -6 netconf",
        "ip rule",
    ];

    private static readonly string[] s_destinations =
    [
        "10.0.0.2",
        "10.0.0.3",
        "10.0.0.1",
        "10.0.0.255",
        "10.0.9.2",
        "10.0.1.2",
        "10.0.2.9",
        "10.1.0.1",
        "10.1.1.1",
        "10.1.2.1",
        "10.1.3.1",
        "10.1.4.1",
        "10.1.5.1",
        "10.1.6.6",
        "10.2.0.1",
        "10.2.1.1",
        "10.2.2.1",
        "10.2.3.1",
        "10.4.0.1",
        "10.5.0.1",
        "10.5.1.1",
        "127.0.0.1",
        "224.0.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "192.0.2.1",
        "fd00::2",
        "fd00::1",
        "fd01::1",
        "fd02::1",
        "fd03::9",
        "fd04::1",
        "fd05::1",
        "fd05:0:0:1::1",
        "fd05:0:0:2::1",
        "fd05:0:0:3::1",
        "fd07::1",
        "fd08::1",
        "fd09::1",
        "::1",
        "::",
        "fe80::9",
        "ff02::1",
        "2001:db8::9",
        "2001:db9::9",
    ];

    private static IEnumerable<RouteQuery> Queries =>
        [
            .. from destination in s_destinations
            from ifindex in new[] { Lo, Left, Right, Closed, Narrow, 99u }
            select new RouteQuery(ifindex, destination),
            .. from destination in s_destinations
            from flags in new[]
            {
                Direct,
                Output,
                SkipNeighbour,
                ChooseSource,
                Mark,
                TableId,
                Direct | TableId,
                Direct | Output,
                Output | SkipNeighbour | ChooseSource,
                Direct | TableId | SkipNeighbour | ChooseSource | Mark | Output,
            }
            from ifindex in new[] { Left, Right }
            select new RouteQuery(ifindex, destination, Flags: flags) { Table = 100 },
            .. from table in new uint[] { 0, 253, 254, 255, 100, 101, uint.MaxValue }
            from destination in new[] { "10.5.0.1", "10.0.0.1", "10.0.0.2", "fd07::1", "fd00::1", "fd00::2" }
            select new RouteQuery(Left, destination, Flags: Direct | TableId) { Table = table },
            .. from length in new ushort[] { 1299, 1300, 1301, 1350, 1351, 1400, 1401, 1500, 1501, ushort.MaxValue }
            from destination in new[]
            {
                "10.0.0.2",
                "10.1.0.1",
                "10.1.1.1",
                "10.1.2.1",
                "fd00::2",
                "fd01::1",
                "fd02::1",
            }
            select new RouteQuery(Left, destination) { Length = length },
            .. from typeOfService in new uint[] { 0, 4, 0x10, 0x11, 0x13, 0x14, 0xff, 0x12345678 }
            from destination in new[] { "10.1.3.1", "fd02::1" }
            select new RouteQuery(Left, destination) { TypeOfService = typeOfService },
            // Of several nexthops the one with the packet's source address is certain.
            .. from source in new[] { "10.0.0.1", "10.0.1.1" } select new RouteQuery(Left, "10.3.0.1", source),
            .. from ifindex in new[] { Left, Right }
            from destination in new[] { "10.3.0.1" }
            select new RouteQuery(ifindex, destination, Flags: Output),
            new RouteQuery(Left, "10.0.0.2") { GivenSize = 63 },
            new RouteQuery(Left, "10.0.0.2") { GivenSize = 1 },
            new RouteQuery(Left, "10.0.0.2", Flags: 64),
            new RouteQuery(Left, "10.0.0.2", Flags: 0x8000_0000),
            new RouteQuery(Left, "10.0.0.2") { Family = 0 },
            new RouteQuery(Left, "10.0.0.2") { Family = 1 },
            new RouteQuery(Left, "fd00::2", "fe80::1"),
            new RouteQuery(Left, "fd00::2", "ff02::1"),
            new RouteQuery(Left, "fd00::2", "::1"),
        ];

    [Fact]
    public void RoutesAreFoundAsInTheKernel()
    {
        Kernel.Require();
        NetworkNamespace.Run(() =>
        {
            var network = SetUp();
            Compare(RouteQuery.ToCases(Queries), network);
        });
    }

    [Fact]
    public void MtusAreCheckedAsInTheKernel()
    {
        Kernel.Require();
        NetworkNamespace.Run(() => Compare(MtuCases, SetUp()));
    }

    [Fact]
    public void WithoutAFileTheAnswersAreThoseOfAHostWithoutRoutes()
    {
        Kernel.Require();
        NetworkNamespace.Run(() =>
            Compare(
                [
                    .. RouteQuery.ToCases(
                        from destination in s_destinations
                        from ifindex in new uint[] { 0, 1, 2 }
                        select new RouteQuery(ifindex, destination)
                    ),
                    .. MtuCases,
                ],
                new NetworkEnvironment()
            )
        );
    }

    private static IEnumerable<CallCase> MtuCases =>
        from packetLength in new[] { 14, 1414, 1415, 1514, 1515, 3520, 3521, 9000 }
        from ifindex in new uint[] { 0, Lo, Left, Right, Narrow, 99, uint.MaxValue }
        select new CallCase(
            $"check_mtu, {packetLength} bytes, interface {ifindex}",
            string.Join('\n', MtuCalls(ifindex).Select(call => $"{call}\ncall 163\nrecord"))
        )
        {
            PacketLength = packetLength,
            IsFrags = true,
        };

    private static IEnumerable<string> MtuCalls(uint ifindex) =>
        from length in new uint[] { 0, 1, 1400, 1401, 1500, 1501, 65536, 0x7fff_ffff, 0xffff_fff0, uint.MaxValue }
        from difference in new[] { 0, 1, -100, int.MinValue, int.MaxValue }
        from flags in length == 0 ? new[] { 0, 1 } : [0]
        select $"""
            *(u32 *)(r7 + 0) = {(int)length}
            r1 = r6
            r2 = {(int)ifindex}
            r3 = r7
            r4 = {difference}
            r5 = {flags}
            """;

    private static NetworkEnvironment SetUp()
    {
        // Else addresses of the links come to be usable while the test runs: when they are known to be unique.
        NetworkNamespace.Set("ipv6/conf/all/accept_dad", 0);
        NetworkNamespace.Set("ipv6/conf/default/accept_dad", 0);
        NetworkNamespace.Set("ipv4/ip_forward", 1);
        NetworkNamespace.Set("ipv6/conf/all/forwarding", 1);
        foreach (var command in s_setup)
        {
            NetworkNamespace.Command(command);
        }
        NetworkNamespace.Set("ipv4/conf/closed/forwarding", 0);
        NetworkNamespace.Set("ipv6/conf/closed/forwarding", 0);
        var text = string.Concat(s_show.Select(NetworkNamespace.Command));
        return new NetworkEnvironment { Routes = RouteFile.Read(new StringReader(text), "ip") };
    }

    private static void Compare(IEnumerable<CallCase> cases, NetworkEnvironment network)
    {
        var differences = new List<string>();
        foreach (var @case in cases)
        {
            var kernel = CallResult.InKernel(@case);
            foreach (var engine in Enum.GetValues<ExecutionEngine>())
            {
                if (CallResult.InEngine(@case, engine, network).DifferenceTo(kernel) is { } difference)
                {
                    differences.Add($"{@case.Name}, {engine}: {difference}");
                }
            }
        }
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }
}
