using RxStages.Bpf.Network;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Objects;

/// <summary>A kernel's types may come from a file: what they say of structures must not lead out of memory, or without end.</summary>
public unsafe class HostileTypesTests
{
    [Theory]
    [InlineData(uint.MaxValue / 8 * 8)]
    [InlineData(64u * 8)]
    [InlineData(62u * 8)]
    public void MembersBeyondTheEndOfTheirStructureAreNowhere(uint bitOffset)
    {
        var types = new BtfBuilder();
        var number = types.Integer("int", 4, default);
        types.Struct("outer", 64, ("inside", number, 0u), ("last", number, 60u * 8), ("beyond", number, bitOffset));
        var layout = StructureLayout.Find(types.Build(), "outer")!;
        Assert.Equal(60, layout.OffsetOf("last", sizeof(int)));
        Assert.Equal(-1, layout.OffsetOf("last", 5));
        Assert.Equal(-1, layout.OffsetOf("beyond", sizeof(int)));
    }

    [Fact]
    public void OffsetsThatAddUpToMoreThanANumberHoldsAreNowhere()
    {
        var types = new BtfBuilder();
        var number = types.Integer("int", 4, default);
        var innermost = types.Struct("a", 64, ("x", number, uint.MaxValue));
        var inner = types.Struct("b", 64, ("a", innermost, uint.MaxValue));
        var middle = types.Struct("c", 64, ("b", inner, uint.MaxValue));
        types.Struct("d", 64, ("c", middle, uint.MaxValue));
        Assert.Equal(-1, StructureLayout.Find(types.Build(), "d")!.OffsetOf("c.b.a.x", 4));
    }

    [Theory]
    [InlineData(uint.MaxValue)]
    [InlineData(BpfRuntime.MaxStructureSize + 1)]
    public void StructuresTooLargeForProgramsAreUnknown(uint size)
    {
        var types = new BtfBuilder();
        types.Struct("nf_conn", size);
        Assert.Null(StructureLayout.Find(types.Build(), "nf_conn"));
    }

    /// <summary>What stands around the structures stays what it was: entries are written by the layout that the types give.</summary>
    [Theory]
    [InlineData(8u, 60u)]
    [InlineData(8u, 1u << 24)]
    [InlineData(64u, 62u)]
    [InlineData(uint.MaxValue, 0u)]
    public void ConnectionsAndSocketsOfAnyTypesStayInTheirMemory(uint size, uint offset)
    {
        var types = new BtfBuilder();
        var number = types.Integer("int", 4, default);
        var address = types.Struct("nf_inet_addr", 16, ("all", number, 0u));
        var source = types.Struct("source", 24, ("u3", address, offset * 8), ("u", number, offset * 8));
        var tuple = types.Struct("tuple", 48, ("src", source, offset * 8), ("dst", source, offset * 8));
        var hash = types.Struct("nf_conntrack_tuple_hash", size, ("tuple", tuple, offset * 8));
        string[] members = ["timeout", "status", "mark", "tuplehash"];
        types.Struct("nf_conn", size, [.. members.Select(name => (name, hash, offset * 8))]);
        string[] common = ["skc_family", "skc_v6_daddr", "skc_num"];
        types.Struct("sock_common", size, [.. common.Select(name => (name, number, offset * 8))]);
        types.Struct("tcp_sock", 4);
        var btf = types.Build();
        var table = new ConntrackTable(SipHashKey.From(1, 1), btf, capacity: 4);
        var end = new Endpoint(new NetworkAddress(true, UInt128.MaxValue), ushort.MaxValue);
        var connections = new List<nint>();
        for (var index = 0; index < 4; index++)
        {
            connections.Add((nint)table.Allocate(new(end, end with { Port = (ushort)index }, 6), 0, 3, 1000, 0));
        }
        Assert.DoesNotContain(0, connections);
        // Each is still its own: what was written of the next ones did not reach it.
        Assert.All(connections, connection => Assert.True(table.Insert((void*)connection, 0)));
        var socket = new NetworkSocket
        {
            IsTcp = true,
            State = SocketState.Listen,
            LocalAddress = end.Address,
            LocalPort = 1,
            RemoteAddress = end.Address,
            RemotePort = 0,
        };
        var sockets = new SocketTable([socket, socket, socket], btf);
        Assert.All([0, 1, 2], index => Assert.Equal(10u, sockets.ViewOf(index)->Family));
    }

    /// <summary>Each structure holds the next one twice: 2^40 ways, and none to the member.</summary>
    [Fact]
    public void AMemberIsLookedForOnceInEachAnonymousStructure()
    {
        var types = new BtfBuilder();
        var inner = types.Struct(8, ("x", types.Integer("int", 4, default)));
        for (var depth = 0; depth < 40; depth++)
        {
            inner = types.Struct(8, ("", inner), ("", inner));
        }
        var btf = types.Build();
        Assert.Null(btf.OffsetOf(inner, "y"));
        Assert.Equal(0, btf.OffsetOf(inner, "x"));
    }

    [Fact]
    public void ManyTypesOfOneNameAskedForManyTimesAreTooMuch()
    {
        var local = new BtfBuilder();
        var target = new BtfBuilder();
        for (var index = 0; index < 3000; index++)
        {
            local.Struct("same", 8);
            target.Add("same", BtfKind.Union, 0, 8);
        }
        var relocator = new CoreRelocator(local.Build(), target.Build());
        Assert.Throws<CoreRelocationException>(() =>
        {
            for (var type = 1; type <= 3000; type++)
            {
                relocator.Resolve(new CoreRelocation(0, type, "0", CoreKind.TypeExists));
            }
        });
    }
}
