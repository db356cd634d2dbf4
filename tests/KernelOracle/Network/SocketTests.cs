using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using RxStages.Bpf.Network;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Programs;
using RxStages.KernelOracle.Tests.Helpers;

namespace RxStages.KernelOracle.Tests.Network;

/// <summary>Sockets of a namespace, and the same read from what <c>ss</c> prints of them.</summary>
public class SocketTests
{
    // SOL_SOCKET, SO_BINDTODEVICE, SO_MARK
    private const int SocketLevel = 1;
    private const int BindToDevice = 25;
    private const int Mark = 36;

    // Helpers.
    private const int LookupTcp = 84;
    private const int LookupUdp = 85;
    private const int LookupTcpCommon = 99;

    // struct bpf_sock, and the least that the kernel lets programs read of any socket.
    private const int SockSize = 80;
    private static readonly int[] s_fields = [.. Enumerable.Range(0, SockSize / 4).Select(i => 4 * i)];
    private static readonly int[] s_commonFields = [.. s_fields.Where(field => field is < 8 or >= 24)];

    // A lookup's tuple and what was found are this far apart.
    private const int Distance = 128;
    private const int PerCase = CallCase.MemorySize / Distance;

    private static readonly string[] s_local =
    [
        "127.0.0.1",
        "127.0.0.2",
        "10.0.0.1",
        "0.0.0.0",
        "::1",
        "fd00::1",
        "::",
        "::ffff:127.0.0.1",
    ];
    private static readonly int[] s_ports =
    [
        1001,
        1002,
        1003,
        1004,
        1005,
        1006,
        1007,
        1008,
        2001,
        2002,
        2003,
        2004,
        2005,
        2006,
        9,
    ];

    [Fact]
    public void SocketsAreFoundAsInTheKernel()
    {
        Kernel.Require();
        NetworkNamespace.Run(() =>
        {
            NetworkNamespace.Command("ip link set lo up");
            NetworkNamespace.Command("ip addr add 10.0.0.1/32 dev lo");
            NetworkNamespace.Command("ip addr add fd00::1/128 dev lo nodad");
            NetworkNamespace.Command("ip link add other type veth peer name another");
            var sockets = new List<Socket>();
            try
            {
                var ends = Open(sockets);
                var routes = RouteFile.Read(new StringReader(NetworkNamespace.Command("ip addr")), "ip");
                var text = NetworkNamespace.Command("ss -tunae");
                var contents = SocketFile.Read(new StringReader(text), "ss", routes);
                var network = new NetworkEnvironment(seed: 1, TargetKernel.Running.Types)
                {
                    Routes = routes,
                    Sockets = new SocketTable(contents.Sockets, TargetKernel.Running.Types),
                };
                Compare(Cases(ends), network, text);
            }
            finally
            {
                sockets.ForEach(socket => socket.Dispose());
            }
        });
    }

    [Fact]
    public void ListenersSendAndCheckCookiesAsInTheKernel()
    {
        Kernel.Require();
        NetworkNamespace.Run(() =>
        {
            NetworkNamespace.Command("ip link set lo up");
            using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            Bind(listener, "127.0.0.1", 1001, false, null, 0).Listen(5);
            using var datagrams = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            Bind(datagrams, "127.0.0.1", 1001, false, null, 0);
            var text = NetworkNamespace.Command("ss -tunae");
            foreach (var setting in new[] { 0, 1, 2 })
            {
                NetworkNamespace.Set("ipv4/tcp_syncookies", setting);
                var contents = SocketFile.Read(
                    new StringReader($"{text}\nnet.ipv4.tcp_syncookies = {setting}\n"),
                    "ss",
                    RouteTables.Empty
                );
                var network = new NetworkEnvironment(seed: 1)
                {
                    Sockets = new SocketTable(contents.Sockets),
                    SynCookieSetting = contents.SynCookies,
                };
                Compare(ListenerCases, network, text);
            }
        });
    }

    private static IEnumerable<CallCase> ListenerCases =>
        from helper in new[] { LookupTcp, LookupUdp }
        from version in new byte[] { 0x45, 0x60, 0x50 }
        from flags in new byte[] { 0x02, 0x12, 0x10, 0x14, 0x03 }
        from sizes in new[]
        {
            (Ip: 20, Tcp: 20),
            (Ip: 20, Tcp: 24),
            (Ip: 40, Tcp: 20),
            (Ip: 19, Tcp: 20),
            (Ip: 40, Tcp: 19),
        }
        select new CallCase(
            $"helper {helper}, version {version:x}, flags {flags:x}, sizes {sizes}",
            $"""
            r1 = r6
            r2 = r7
            r3 = 12
            r4 = -1
            r5 = 0
            call {helper}
            if r0 == 0 goto none
            r9 = r0
            {Cookie(110, sizes.Ip, sizes.Tcp)}
            r0 >>= 32
            record
            {Cookie(100, sizes.Ip, sizes.Tcp)}
            record
            r1 = r9
            call 86
            none:
            """
        )
        {
            Memory =
            [
                .. MakeTuple(new(IPAddress.Loopback, 5), new(IPAddress.Loopback, 1001)),
                .. new byte[52],
                version,
                .. new byte[63],
                .. new byte[12],
                0x50,
                flags,
            ],
        };

    private static string Cookie(int helper, int ipSize, int tcpSize) =>
        $"""
            r1 = r9
            r2 = r7
            r2 += 64
            r3 = {ipSize}
            r4 = r7
            r4 += 128
            r5 = {tcpSize}
            call {helper}
            """;

    // Listeners, connections, datagram sockets; returns the connections, from their local ends.
    private static List<(IPEndPoint Remote, IPEndPoint Local, bool IsTcp)> Open(List<Socket> sockets)
    {
        Listen("127.0.0.1", 1001);
        Listen("0.0.0.0", 1002);
        Listen("::", 1003);
        Listen("::", 1004, isIpv6Only: true);
        Listen("fd00::1", 1005);
        Listen("0.0.0.0", 1006, device: "lo");
        Listen("0.0.0.0", 1007, device: "other");
        Listen("127.0.0.1", 1008);
        Listen("0.0.0.0", 1008, mark: 77);
        Udp("127.0.0.1", 2001);
        Udp("0.0.0.0", 2002);
        Udp("::", 2003);
        Udp("::", 2004, isIpv6Only: true);
        Udp("0.0.0.0", 2005, device: "other");
        Udp("0.0.0.0", 2006, device: "lo", mark: 5);
        Udp("fd00::1", 2001);
        var ends = new List<(IPEndPoint, IPEndPoint, bool)>();
        foreach (
            var (address, port) in new[]
            {
                ("127.0.0.1", 1001),
                ("10.0.0.1", 1002),
                ("::1", 1003),
                ("127.0.0.1", 1003),
                ("fd00::1", 1005),
            }
        )
        {
            var client = Add(AddressFamilyOf(address), SocketType.Stream, ProtocolType.Tcp);
            client.Connect(IPAddress.Parse(address), port);
            var server = sockets
                .First(socket =>
                    socket.IsBound
                    && socket.ProtocolType == ProtocolType.Tcp
                    && ((IPEndPoint)socket.LocalEndPoint!).Port == port
                )
                .Accept();
            sockets.Add(server);
            ends.Add(((IPEndPoint)client.RemoteEndPoint!, (IPEndPoint)client.LocalEndPoint!, true));
            ends.Add(((IPEndPoint)client.LocalEndPoint!, (IPEndPoint)client.RemoteEndPoint!, true));
            if (port == 1002)
            {
                // One connection in TIME_WAIT, on the side that closes first.
                client.Close();
                Assert.Equal(0, server.Receive(new byte[1]));
                server.Close();
            }
        }
        foreach (var (address, port) in new[] { ("127.0.0.1", 2001), ("fd00::1", 2001) })
        {
            var client = Add(AddressFamilyOf(address), SocketType.Dgram, ProtocolType.Udp);
            client.Connect(IPAddress.Parse(address), port);
            ends.Add(((IPEndPoint)client.RemoteEndPoint!, (IPEndPoint)client.LocalEndPoint!, false));
        }
        return ends;

        void Listen(string address, int port, bool isIpv6Only = false, string? device = null, uint mark = 0)
        {
            Bind(
                    Add(AddressFamilyOf(address), SocketType.Stream, ProtocolType.Tcp),
                    address,
                    port,
                    isIpv6Only,
                    device,
                    mark
                )
                .Listen(5);
        }

        void Udp(string address, int port, bool isIpv6Only = false, string? device = null, uint mark = 0) =>
            Bind(
                Add(AddressFamilyOf(address), SocketType.Dgram, ProtocolType.Udp),
                address,
                port,
                isIpv6Only,
                device,
                mark
            );

        Socket Add(AddressFamily family, SocketType type, ProtocolType protocol)
        {
            var socket = new Socket(family, type, protocol);
            sockets.Add(socket);
            return socket;
        }
    }

    private static Socket Bind(Socket socket, string address, int port, bool isIpv6Only, string? device, uint mark)
    {
        if (socket.AddressFamily == AddressFamily.InterNetworkV6)
        {
            socket.DualMode = !isIpv6Only;
        }
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        if (device is not null)
        {
            socket.SetRawSocketOption(SocketLevel, BindToDevice, Encoding.ASCII.GetBytes(device + '\0'));
        }
        if (mark != 0)
        {
            socket.SetRawSocketOption(SocketLevel, Mark, BitConverter.GetBytes(mark));
        }
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), port));
        return socket;
    }

    private static AddressFamily AddressFamilyOf(string address) => IPAddress.Parse(address).AddressFamily;

    private static IEnumerable<CallCase> Cases(List<(IPEndPoint Remote, IPEndPoint Local, bool IsTcp)> ends)
    {
        var lookups = new List<(string Name, int Helper, byte[] Tuple, int Size, long Netns, long Flags)>();
        foreach (var local in s_local)
        {
            foreach (var port in s_ports)
            {
                var address = IPAddress.Parse(local);
                var tuple = MakeTuple(
                    new IPEndPoint(
                        address.AddressFamily == AddressFamily.InterNetwork
                            ? IPAddress.Parse("127.0.0.9")
                            : IPAddress.Parse("fd00::9"),
                        5
                    ),
                    new IPEndPoint(address, port)
                );
                lookups.Add(($"{local} {port}", port < 2000 ? LookupTcp : LookupUdp, tuple, tuple.Length, -1, 0));
            }
        }
        foreach (var (remote, local, isTcp) in ends)
        {
            var tuple = MakeTuple(remote, local);
            foreach (var helper in isTcp ? new[] { LookupTcp, LookupTcpCommon } : [LookupUdp])
            {
                lookups.Add(($"{remote} {local}", helper, tuple, tuple.Length, -1, 0));
            }
        }
        var known = MakeTuple(new(IPAddress.Loopback, 5), new(IPAddress.Loopback, 1001));
        foreach (
            var (size, netns, flags) in new (int, long, long)[]
            {
                (11, -1, 0),
                (13, -1, 0),
                (12, 0, 0),
                (12, 1, 0),
                (12, -2, 0),
                (12, int.MaxValue, 0),
                (12, int.MinValue, 0),
                (12, 0xffff_ffff, 0),
                (12, 0x1_0000_0000, 0),
                (12, -1, 1),
                (12, -1, 1L << 40),
            }
        )
        {
            lookups.Add(($"size {size}, netns {netns}, flags {flags}", LookupTcp, known, size, netns, flags));
        }
        return lookups
            .Chunk(PerCase)
            .Select(batch =>
            {
                var memory = new byte[CallCase.MemorySize];
                for (var i = 0; i < batch.Length; i++)
                {
                    batch[i].Tuple.CopyTo(memory, i * Distance);
                }
                return new CallCase(
                    string.Join("; ", batch.Select(lookup => lookup.Name)),
                    string.Join(
                        '\n',
                        batch.Select((lookup, i) => LookUp(i, lookup.Helper, lookup.Size, lookup.Netns, lookup.Flags))
                    )
                )
                {
                    Memory = memory,
                };
            });
    }

    // Copies what is found behind the tuple, says what it can be converted to, and gives it back.
    private static string LookUp(int index, int helper, int size, long netns, long flags)
    {
        var at = index * Distance;
        // ss does not tell: which side opened an IPv6 connection (dst_ip4), and which queue a socket's packets come by. What an
        // IPv4 connection in TIME_WAIT has as IPv6 addresses is not initialized.
        var fields = (helper == LookupTcpCommon ? s_commonFields : s_fields).Where(field =>
            field switch
            {
                28 or 32 or 36 or 40 or 56 or 60 or 64 or 68 => size != 12 || helper != LookupTcpCommon,
                52 => size != 36,
                76 => false,
                _ => true,
            }
        );
        return $"""
            r1 = r6
            r2 = r7
            r2 += {at}
            r3 = {size}
            r4 = {netns} ll
            r5 = {flags} ll
            call {helper}
            if r0 == 0 goto none{index}
            r9 = r0
            {string.Join(
                '\n',
                fields.Select(field =>
                    field == 48
                        ? $"r1 = *(u16 *)(r9 + 48)\n*(u32 *)(r7 + {at + 40 + field}) = r1"
                        : $"r1 = *(u32 *)(r9 + {field})\n*(u32 *)(r7 + {at + 40 + field}) = r1"
                )
            )}
            {string.Join(
                '\n',
                new[] { 136, 137, 138, 139, 140, 178, 196 }.Select((conversion, i) => Convert(index, i, conversion))
            )}
            r1 = r9
            call 86
            record
            none{index}:
            """;
    }

    private static string Convert(int index, int number, int helper) =>
        $"""
            r1 = r9
            call {helper}
            if r0 == 0 goto not{index}_{number}
            r1 = *(u16 *)(r0 + 14)
            r0 = r1
            record
            not{index}_{number}:
            """;

    private static byte[] MakeTuple(IPEndPoint remote, IPEndPoint local)
    {
        // A connection that IPv6 sockets have with IPv4 is one of IPv4 to packets.
        byte[] addresses =
        [
            .. Unmapped(remote.Address, local.Address).GetAddressBytes(),
            .. Unmapped(local.Address, remote.Address).GetAddressBytes(),
        ];
        var tuple = new byte[addresses.Length + 4];
        addresses.CopyTo(tuple, 0);
        BinaryPrimitives.WriteUInt16BigEndian(tuple.AsSpan(addresses.Length), (ushort)remote.Port);
        BinaryPrimitives.WriteUInt16BigEndian(tuple.AsSpan(addresses.Length + 2), (ushort)local.Port);
        return tuple;
    }

    private static IPAddress Unmapped(IPAddress address, IPAddress other) =>
        address.IsIPv4MappedToIPv6 && other.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static void Compare(IEnumerable<CallCase> cases, NetworkEnvironment network, string sockets)
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
        Assert.True(differences.Count == 0, $"{string.Join('\n', differences)}\n{sockets}");
    }
}
