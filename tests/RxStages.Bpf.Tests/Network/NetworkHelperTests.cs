using RxStages.Bpf.Errors;
using RxStages.Bpf.Network;
using RxStages.Bpf.Runtime;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Network;

/// <summary>What the kernel cannot be asked: shares of nexthops, the ends of connections, that nothing is allocated.</summary>
public unsafe class NetworkHelperTests
{
    [Fact]
    public void NexthopsShareFlowsByTheirWeight()
    {
        var network = MakeNetwork();
        var left = 0;
        for (var i = 0; i < 4000; i++)
        {
            var query = Query(0x0a030000u + (uint)i);
            Assert.Equal((int)FibLookupResult.NoNeighbour, Look(network, ref query));
            left += query.Ifindex == 2 ? 1 : 0;
        }
        Assert.InRange(left, 2850, 3150);
    }

    [Fact]
    public void LookupsAllocateNothing()
    {
        var network = MakeNetwork();
        Allocation.ExpectNone(() =>
        {
            for (var i = 0; i < 100; i++)
            {
                var query = Query(0x0a030000u + (uint)i);
                Look(network, ref query);
                network.Sockets.FindTcp(default, default, 1);
            }
        });
    }

    [Fact]
    public void ConnectionsEndAndTheirEntriesAreUsedAgain()
    {
        var table = new ConntrackTable(new SipHashKey(1, 2), types: null, capacity: 16);
        for (var round = 0u; round < 10; round++)
        {
            var now = 1000 * round;
            for (var i = 0; i < 16; i++)
            {
                var connection = table.Allocate(Tuple(i), 0, 3, 100, now);
                Assert.True(connection is not null);
                Assert.True(table.Insert(connection, now));
                table.Release(connection);
            }
            Assert.True(table.Allocate(Tuple(99), 0, 3, 100, now) is null);
            Assert.Equal(16, Enumerable.Range(0, 16).Count(i => Exists(table, Tuple(i), now + 99)));
            Assert.Equal(0, Enumerable.Range(0, 16).Count(i => Exists(table, Tuple(i).Inverse, now + 100)));
        }
    }

    [Fact]
    public void AConnectionThatIsHeldOutlivesItsEnd()
    {
        var table = new ConntrackTable(new SipHashKey(1, 2), types: null, capacity: 2);
        var held = table.Allocate(Tuple(1), 0, 3, 100, 0);
        Assert.True(table.Insert(held, 0));
        Assert.False(Exists(table, Tuple(1), 100));
        Assert.Equal(-Errno.ETIME, table.ChangeTimeout(held, 50, 100));
        Assert.True(table.Allocate(Tuple(2), 0, 3, 100, 100) is not null);
        Assert.True(table.Allocate(Tuple(3), 0, 3, 100, 100) is null);
        table.Release(held);
        Assert.True(table.Allocate(Tuple(3), 0, 3, 100, 100) is not null);
    }

    [Fact]
    public void ACookieIsGoodForTwoPeriods()
    {
        const ulong Period = 15_000;
        var cookies = new SynCookies(seed: 7);
        var (source, destination) = (new Endpoint(default, 5), new Endpoint(default, 80));
        ushort size = 1450;
        var cookie = cookies.Make(source, destination, 42, ref size, 10 * Period);
        Assert.Equal(1440, size);
        Assert.Equal(1440, cookies.Check(source, destination, cookie, 42, (12 * Period) - 1));
        Assert.Equal(0, cookies.Check(source, destination, cookie, 42, 12 * Period));
        Assert.Equal(0, cookies.Check(destination, source, cookie, 42, 10 * Period));
        Assert.Equal(0, new SynCookies(seed: 8).Check(source, destination, cookie, 42, 10 * Period));
    }

    [Theory]
    [InlineData("tcp LISTEN 0 5 127.0.0.1:http 0.0.0.0:*", "'http' is not a port")]
    [InlineData("tcp ASLEEP 0 5 127.0.0.1:80 0.0.0.0:*", "'ASLEEP' is not a state")]
    [InlineData("tcp LISTEN 0 5 127.0.0.1%eth9:80 0.0.0.0:*", "no interface 'eth9'")]
    [InlineData("tcp ESTAB 0 5 127.0.0.1:80 [fd00::1]:5", "the two addresses are of different families")]
    [InlineData("carrier-pigeon", "'carrier-pigeon' is no kind of socket")]
    [InlineData("tcp LISTEN 0", "ends where Send-Q should be")]
    public void SocketsThatAreNotUnderstoodAreErrors(string line, string reason)
    {
        var error = Assert.Throws<InputException>(() =>
            SocketFile.Read(new StringReader(line), "sockets", RouteTables.Empty)
        );
        Assert.StartsWith("sockets: line 1: " + reason, error.Message, StringComparison.Ordinal);
    }

    private static bool Exists(ConntrackTable table, ConntrackTuple tuple, uint now)
    {
        var connection = table.Find(tuple, 0, 3, now, out _);
        table.Release(connection);
        return connection is not null;
    }

    private static ConntrackTuple Tuple(int number) => new(new(default, (ushort)(1000 + number)), new(default, 80), 6);

    private static NetworkEnvironment MakeNetwork() =>
        new(seed: 3)
        {
            Routes = RouteFile.Read(
                new StringReader(
                    """
                    2: left: <UP> mtu 1500
                    3: right: <UP> mtu 1500
                    10.3.0.0/16 nexthop via 10.0.0.2 dev left weight 3 nexthop via 10.0.1.2 dev right
                    """
                ),
                "routes"
            ),
        };

    private static BpfFibLookup Query(uint destination)
    {
        var query = new BpfFibLookup { Family = 2, Ifindex = 2 };
        *(uint*)query.Destination = System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(destination);
        return query;
    }

    private static int Look(NetworkEnvironment network, ref BpfFibLookup query)
    {
        var packet = new XdpBuff { IngressIfindex = 2 };
        fixed (BpfFibLookup* pointer = &query)
        {
            return FibLookup.Run(network, &packet, pointer, BpfFibLookup.Size, FibLookupFlags.None);
        }
    }
}
