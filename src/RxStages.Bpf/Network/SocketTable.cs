using System.Buffers.Binary;
using System.Collections.Immutable;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Network;

/// <summary>
/// The host's sockets, found as <c>inet_hashtables.c</c> and <c>udp.c</c> find them. Programs get pointers to entries in native
/// memory: <c>struct bpf_sock</c>, and behind it the kernel's own structure where its layout is known. They live as long as
/// the table, so that references to them need not be counted. Lookups allocate nothing.
/// </summary>
public sealed unsafe class SocketTable
{
    /// <summary>The most sockets that a table may have.</summary>
    public const int MaxSockets = 1 << 18;

    private static readonly string[] s_structures =
    [
        "tcp_sock",
        "tcp6_sock",
        "udp6_sock",
        "tcp_timewait_sock",
        "tcp_request_sock",
    ];

    private readonly ImmutableArray<NetworkSocket> _sockets;
    private readonly Dictionary<(Endpoint Local, Endpoint Remote), int[]> _connections = [];
    private readonly Dictionary<(bool IsTcp, Endpoint Local), int[]> _bound = [];
    private readonly NetworkMemory _memory;
    private readonly bool _hasStructures;

    // For SYN cookies: when each listener last sent one, in jiffies; and how many requests it keeps.
    private readonly ulong[] _lastCookie;
    private readonly int[] _requests;

    /// <summary>Makes the table.</summary>
    /// <param name="sockets">The sockets, at most <see cref="MaxSockets"/>.</param>
    /// <param name="types">The kernel's types; without them sockets cannot be had as the kernel's structures (<c>bpf_skc_to_*</c>).</param>
    public SocketTable(IReadOnlyCollection<NetworkSocket> sockets, Btf? types = null)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(sockets.Count, MaxSockets);
        _sockets = [.. sockets];
        _lastCookie = new ulong[sockets.Count];
        _requests = new int[sockets.Count];
        var common = StructureLayout.Find(types, "sock_common");
        var size = s_structures.Max(name => StructureLayout.Find(types, name)?.Size ?? 0);
        _hasStructures = common is not null && size > 0;
        // All of them begin with the common part, or so honest types say.
        size = Math.Max(size, common?.Size ?? 0);
        _memory = NetworkMemory.Allocate(sockets.Count, sizeof(BpfSock) + size);
        var connections = new List<((Endpoint Local, Endpoint Remote) Key, int Index)>();
        var bound = new List<((bool IsTcp, Endpoint Local) Key, int Index)>();
        for (var index = 0; index < _sockets.Length; index++)
        {
            var socket = _sockets[index];
            FillView((BpfSock*)_memory[index], socket);
            if (common is not null && _hasStructures)
            {
                FillStructure(_memory[index] + sizeof(BpfSock), common, socket);
            }
            var local = new Endpoint(Unmapped(socket.LocalAddress), socket.LocalPort);
            if (socket.IsTcp && socket.State is not (SocketState.Listen or SocketState.Close))
            {
                connections.Add(((local, new(Unmapped(socket.RemoteAddress), socket.RemotePort)), index));
            }
            else if (!socket.IsTcp || socket.State == SocketState.Listen)
            {
                bound.Add(((socket.IsTcp, local), index));
                if (socket is { LocalAddress: { IsIpv6: true, IsUnspecified: true }, IsIpv6Only: false })
                {
                    bound.Add(((socket.IsTcp, local with { Address = default }), index));
                }
            }
        }
        _connections = connections
            .GroupBy(pair => pair.Key, pair => pair.Index)
            .ToDictionary(g => g.Key, g => g.ToArray());
        _bound = bound.GroupBy(pair => pair.Key, pair => pair.Index).ToDictionary(g => g.Key, g => g.ToArray());
        CountRequests();
    }

    /// <summary>A host without sockets.</summary>
    public static SocketTable Empty { get; } = new([]);

    /// <summary>The sockets.</summary>
    public IReadOnlyList<NetworkSocket> Sockets => _sockets;

    /// <summary>How many bytes programs may read from an address on; 0 if it is not a socket's.</summary>
    public int ReadableBytes(nint address) => _memory.BytesFrom((void*)address);

    /// <summary>The socket at a pointer that a program got from a lookup or conversion; its index, or -1.</summary>
    internal int IndexOf(void* pointer) => _memory.IndexOf(pointer);

    /// <summary>What programs see of a socket.</summary>
    internal BpfSock* ViewOf(int index) => (BpfSock*)_memory[index];

    /// <summary>The kernel's structure of a socket, or null where its layout is not known.</summary>
    internal byte* StructureOf(int index) => _hasStructures ? _memory[index] + sizeof(BpfSock) : null;

    /// <summary>When a listener last sent a SYN cookie, in jiffies; 0 for never.</summary>
    internal ref ulong LastCookieOf(int index) => ref _lastCookie[index];

    /// <summary>Requests for connections that a listener keeps.</summary>
    internal int RequestsOf(int index) => _requests[index];

    /// <summary>Finds the TCP socket for a packet (<c>__inet_lookup</c>, <c>__inet6_lookup</c>): a connection, else a listener.</summary>
    /// <param name="remote">Where the packet is from.</param>
    /// <param name="local">Where it goes.</param>
    /// <param name="ifindex">The interface that it came in by.</param>
    /// <returns>Its index, or -1.</returns>
    internal int FindTcp(Endpoint remote, Endpoint local, int ifindex)
    {
        if (_connections.TryGetValue((local, remote), out var connections))
        {
            foreach (var index in connections)
            {
                if (IsOpenTo(_sockets[index], ifindex))
                {
                    return index;
                }
            }
        }
        return FindListener(local, ifindex);
    }

    /// <summary>Finds the TCP listener for an address: of the address, else of all.</summary>
    internal int FindListener(Endpoint local, int ifindex)
    {
        var index = BestListener(local, ifindex);
        return index >= 0 ? index : BestListener(local.AnyAddress, ifindex);
    }

    /// <summary>Finds the UDP socket for a packet (<c>__udp4_lib_lookup</c>, <c>__udp6_lib_lookup</c>).</summary>
    internal int FindUdp(Endpoint remote, Endpoint local, int ifindex)
    {
        var index = BestUdp(local, remote, ifindex);
        return index >= 0 ? index : BestUdp(local.AnyAddress, remote, ifindex);
    }

    /// <summary>IPv4 addresses as IPv6 sockets have them (RFC 4291 section 2.5.5.2) are IPv4 addresses.</summary>
    internal static NetworkAddress Unmapped(NetworkAddress address) =>
        address.IsIpv6 && address.Bits >> 32 == 0xffff ? new(false, address.Bits << 96) : address;

    private static NetworkAddress Mapped(NetworkAddress address) =>
        new(true, ((UInt128)0xffff << 32) | (address.Bits >> 96));

    private int BestListener(Endpoint local, int ifindex)
    {
        var (best, bestScore) = (-1, 0);
        if (_bound.TryGetValue((true, local), out var candidates))
        {
            foreach (var index in candidates)
            {
                var socket = _sockets[index];
                var score =
                    (socket.BoundInterface != 0 ? 2 : 1)
                    + (!local.Address.IsIpv6 && !socket.LocalAddress.IsIpv6 ? 1 : 0);
                if (score > bestScore && IsOpenTo(socket, ifindex))
                {
                    (best, bestScore) = (index, score);
                }
            }
        }
        return best;
    }

    private int BestUdp(Endpoint local, Endpoint remote, int ifindex)
    {
        var (best, bestScore) = (-1, -1);
        if (_bound.TryGetValue((false, local), out var candidates))
        {
            foreach (var index in candidates)
            {
                var socket = _sockets[index];
                if (
                    !IsOpenTo(socket, ifindex)
                    || (socket.RemotePort != 0 && socket.RemotePort != remote.Port)
                    || (!socket.RemoteAddress.IsUnspecified && Unmapped(socket.RemoteAddress) != remote.Address)
                )
                {
                    continue;
                }
                var matches =
                    (socket.RemotePort != 0 ? 1 : 0)
                    + (socket.RemoteAddress.IsUnspecified ? 0 : 1)
                    + (socket.BoundInterface != 0 ? 1 : 0);
                var score = (4 * matches) + (!local.Address.IsIpv6 && !socket.LocalAddress.IsIpv6 ? 1 : 0);
                if (score > bestScore)
                {
                    (best, bestScore) = (index, score);
                }
            }
        }
        return best;
    }

    private static bool IsOpenTo(NetworkSocket socket, int ifindex) =>
        socket.BoundInterface == 0 || socket.BoundInterface == ifindex;

    private void CountRequests()
    {
        foreach (var socket in _sockets)
        {
            if (socket.State == SocketState.NewSynReceived)
            {
                var local = new Endpoint(Unmapped(socket.LocalAddress), socket.LocalPort);
                if (FindListener(local, socket.BoundInterface) is var listener and >= 0)
                {
                    _requests[listener]++;
                }
            }
        }
    }

    private static void FillView(BpfSock* view, NetworkSocket socket)
    {
        var local = socket.LocalAddress;
        *view = new BpfSock
        {
            BoundInterface = (uint)socket.BoundInterface,
            Family = local.IsIpv6 ? BpfSock.FamilyIpv6 : BpfSock.FamilyIpv4,
            Type = socket.IsTcp ? BpfSock.TypeStream : BpfSock.TypeDatagram,
            Protocol = socket.IsTcp ? BpfSock.ProtocolTcp : BpfSock.ProtocolUdp,
            Mark = socket.Mark,
            SourcePort = socket.LocalPort,
            DestinationPort = BinaryPrimitives.ReverseEndianness(socket.RemotePort),
            State = (uint)socket.State,
            RxQueueMapping = -1,
        };
        // A connection of IPv4 has its addresses in both forms.
        var isBoth =
            socket.IsTcp && socket.State is not (SocketState.Listen or SocketState.Close or SocketState.TimeWait);
        WriteAddresses(local, isBoth, &view->SourceIpv4, view->SourceIpv6);
        WriteAddresses(socket.RemoteAddress, isBoth, &view->DestinationIpv4, view->DestinationIpv6);
        if (local is { IsIpv6: true, IsUnspecified: false } && Unmapped(local).IsIpv6)
        {
            // LOOPBACK4_IPV6: what the kernel writes as the IPv4 address of a socket that has none.
            new NetworkAddress(false, (UInt128)0x7f00_0006 << 96).Write(&view->SourceIpv4);
        }
    }

    private static void WriteAddresses(NetworkAddress address, bool isBoth, void* ipv4, void* ipv6)
    {
        if (address.IsIpv6)
        {
            address.Write(ipv6);
        }
        var unmapped = Unmapped(address);
        if (!unmapped.IsIpv6)
        {
            unmapped.Write(ipv4);
            if (isBoth)
            {
                Mapped(unmapped).Write(ipv6);
            }
        }
    }

    private static void FillStructure(byte* structure, StructureLayout layout, NetworkSocket socket)
    {
        var view = default(BpfSock);
        FillView(&view, socket);
        Write("skc_family", (ushort)view.Family);
        Write("skc_state", (byte)view.State);
        Write("skc_num", (ushort)view.SourcePort);
        Write("skc_dport", view.DestinationPort);
        Write("skc_bound_dev_if", view.BoundInterface);
        Write("skc_rcv_saddr", view.SourceIpv4);
        Write("skc_daddr", view.DestinationIpv4);
        Write("skc_v6_rcv_saddr", *(UInt128*)view.SourceIpv6);
        Write("skc_v6_daddr", *(UInt128*)view.DestinationIpv6);

        void Write<T>(string member, T value)
            where T : unmanaged
        {
            if (layout.OffsetOf(member, sizeof(T)) is var offset and >= 0)
            {
                new ReadOnlySpan<byte>(&value, sizeof(T)).CopyTo(new Span<byte>(structure + offset, sizeof(T)));
            }
        }
    }
}

/// <summary>One side of a connection.</summary>
/// <param name="Address">The address.</param>
/// <param name="Port">The port.</param>
internal readonly record struct Endpoint(NetworkAddress Address, ushort Port)
{
    /// <summary>The same port of any address.</summary>
    public Endpoint AnyAddress => this with { Address = Address with { Bits = 0 } };
}
