using System.Buffers.Binary;
using System.Collections.Immutable;
using RxStages.Bpf.Network;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>Helpers that make and check SYN cookies, for a listener or without one.</summary>
internal static unsafe class SynCookieHelpers
{
    private const int Ipv4HeaderSize = 20;
    private const int Ipv6HeaderSize = 40;
    private const int TcpHeaderSize = 20;

    // What a peer takes that announces no segment size: TCP_MSS_DEFAULT, and what fits IPv6's least MTU.
    private const ushort Ipv4SegmentSize = 536;
    private const ushort Ipv6SegmentSize = NetworkInterface.Ipv6MinMtu - Ipv6HeaderSize - TcpHeaderSize;

    private const string Secrets =
        "The secrets are the run's own and follow from its seed: a kernel does not accept the cookies.";

    internal static readonly ImmutableArray<HelperDefinition> Definitions =
    [
        OfListener(
            100,
            "tcp_check_syncookie",
            CheckOfListener,
            "0 when a packet answers one of the listener's SYN cookies, else ENOENT; also when it has sent none for two minutes."
        ),
        OfListener(
            110,
            "tcp_gen_syncookie",
            MakeOfListener,
            "A listener's SYN cookie for a SYN in the lower 32 bits, its segment size above them; ENOENT when the listener would not send one now."
        ),
        RawMaker(204, 4, Ipv4HeaderSize, RawMakeIpv4),
        RawMaker(205, 6, Ipv6HeaderSize, RawMakeIpv6),
        RawChecker(206, 4, Ipv4HeaderSize, RawCheckIpv4),
        RawChecker(207, 6, Ipv6HeaderSize, RawCheckIpv6),
    ];

    private static HelperDefinition OfListener(int id, string name, HelperFunction implementation, string doc) =>
        new(
            id,
            name,
            ReturnType.Integer,
            [
                ArgumentType.SocketCommon,
                ArgumentType.ReadableMemory,
                ArgumentType.Size,
                ArgumentType.ReadableMemory,
                ArgumentType.Size,
            ],
            implementation,
            $"net/core/filter.c: bpf_{name}",
            doc
        )
        {
            AllowsPacketAccess = true,
            Difference = Secrets,
        };

    private static HelperDefinition RawMaker(int id, int version, int headerSize, HelperFunction implementation) =>
        new(
            id,
            $"tcp_raw_gen_syncookie_ipv{version}",
            ReturnType.Integer,
            [Argument.ReadableBytes(headerSize), ArgumentType.ReadableMemory, ArgumentType.SizeOrZero],
            implementation,
            $"net/core/filter.c: bpf_tcp_raw_gen_syncookie_ipv{version}",
            "A SYN cookie for a SYN in the lower 32 bits, its segment size above them; EINVAL unless the size is that of the TCP header with its options."
        )
        {
            AllowsPacketAccess = true,
            IsGplOnly = true,
            Difference = Secrets,
        };

    private static HelperDefinition RawChecker(int id, int version, int headerSize, HelperFunction implementation) =>
        new(
            id,
            $"tcp_raw_check_syncookie_ipv{version}",
            ReturnType.Integer,
            [Argument.ReadableBytes(headerSize), Argument.ReadableBytes(TcpHeaderSize)],
            implementation,
            $"net/core/filter.c: bpf_tcp_raw_check_syncookie_ipv{version}",
            "0 when an ACK answers a SYN cookie of the last two minutes, else EACCES."
        )
        {
            AllowsPacketAccess = true,
            IsGplOnly = true,
            Difference = Secrets,
        };

    private static ulong RawMakeIpv4(BpfRuntime* runtime, ulong ip, ulong tcp, ulong tcpSize, ulong r4, ulong r5) =>
        RawMake(runtime, (byte*)ip, (byte*)tcp, (uint)tcpSize, isIpv6: false);

    private static ulong RawMakeIpv6(BpfRuntime* runtime, ulong ip, ulong tcp, ulong tcpSize, ulong r4, ulong r5) =>
        RawMake(runtime, (byte*)ip, (byte*)tcp, (uint)tcpSize, isIpv6: true);

    private static ulong RawCheckIpv4(BpfRuntime* runtime, ulong ip, ulong tcp, ulong r3, ulong r4, ulong r5) =>
        Check(runtime, (byte*)ip, (byte*)tcp, isIpv6: false) ? 0 : Error(Errno.EACCES);

    private static ulong RawCheckIpv6(BpfRuntime* runtime, ulong ip, ulong tcp, ulong r3, ulong r4, ulong r5) =>
        Check(runtime, (byte*)ip, (byte*)tcp, isIpv6: true) ? 0 : Error(Errno.EACCES);

    private static ulong RawMake(BpfRuntime* runtime, byte* ip, byte* tcp, uint tcpSize, bool isIpv6) =>
        tcpSize < TcpHeaderSize || tcpSize != LengthOf(tcp)
            ? Error(Errno.EINVAL)
            : Make(runtime, ip, tcp, tcpSize, isIpv6);

    private static ulong MakeOfListener(
        BpfRuntime* runtime,
        ulong socket,
        ulong ipAddress,
        ulong ipSize,
        ulong tcpAddress,
        ulong tcpSize
    )
    {
        var network = NetworkEnvironment.Of(runtime);
        var ip = (byte*)ipAddress;
        var tcp = (byte*)tcpAddress;
        if (
            (uint)tcpSize < TcpHeaderSize
            || (uint)tcpSize != LengthOf(tcp)
            || FindListener(network, socket) is not (var index and >= 0)
        )
        {
            return Error(Errno.EINVAL);
        }
        if (network.SynCookieSetting == 0)
        {
            return Error(Errno.ENOENT);
        }
        var flags = (TcpFlags)tcp[13];
        if ((flags & (TcpFlags.Syn | TcpFlags.Ack | TcpFlags.Fin | TcpFlags.Rst)) != TcpFlags.Syn)
        {
            return Error(Errno.EINVAL);
        }
        var listener = network.Sockets.Sockets[index];
        if (ErrorOfHeader(listener, ip, (uint)ipSize) is var error && error != 0)
        {
            return Error(error);
        }
        // tcp_get_syncookie_mss: as long as requests can be kept there are no cookies, and none if connections cannot be.
        var isFlooded = network.SynCookieSetting == 2 || network.Sockets.RequestsOf(index) >= listener.Backlog;
        if (!isFlooded || listener.Accepting > listener.Backlog)
        {
            return Error(Errno.ENOENT);
        }
        network.Sockets.LastCookieOf(index) = runtime->GetServices().Jiffies64();
        return Make(runtime, ip, tcp, (uint)tcpSize, IsIpv6(ip));
    }

    private static ulong CheckOfListener(
        BpfRuntime* runtime,
        ulong socket,
        ulong ipAddress,
        ulong ipSize,
        ulong tcpAddress,
        ulong tcpSize
    )
    {
        var network = NetworkEnvironment.Of(runtime);
        var ip = (byte*)ipAddress;
        var tcp = (byte*)tcpAddress;
        if (
            (uint)tcpSize < TcpHeaderSize
            || FindListener(network, socket) is not (var index and >= 0)
            || network.SynCookieSetting == 0
        )
        {
            return Error(Errno.EINVAL);
        }
        var flags = (TcpFlags)tcp[13];
        if ((flags & (TcpFlags.Syn | TcpFlags.Ack | TcpFlags.Rst)) != TcpFlags.Ack)
        {
            return Error(Errno.ENOENT);
        }
        if ((uint)ipSize < Ipv4HeaderSize)
        {
            return Error(Errno.EINVAL);
        }
        var last = network.Sockets.LastCookieOf(index);
        if (last == 0 || runtime->GetServices().Jiffies64() - last > SynCookies.Validity)
        {
            return Error(Errno.ENOENT);
        }
        var error = ErrorOfHeader(network.Sockets.Sockets[index], ip, (uint)ipSize);
        return error != 0 ? Error(error)
            : Check(runtime, ip, tcp, IsIpv6(ip)) ? 0
            : Error(Errno.ENOENT);
    }

    private static int FindListener(NetworkEnvironment network, ulong socket)
    {
        var index = network.Sockets.IndexOf((void*)socket);
        return index >= 0 && network.Sockets.Sockets[index] is { IsTcp: true, State: SocketState.Listen } ? index : -1;
    }

    // 0, or why a packet with this IP header cannot be for the listener.
    private static int ErrorOfHeader(NetworkSocket listener, byte* ip, uint size)
    {
        if (size < Ipv4HeaderSize)
        {
            return Errno.EINVAL;
        }
        return (ip[0] >> 4) switch
        {
            4 => listener is { LocalAddress.IsIpv6: true, IsIpv6Only: true } ? Errno.EINVAL : 0,
            6 => size < Ipv6HeaderSize || !listener.LocalAddress.IsIpv6 ? Errno.EINVAL : 0,
            _ => Errno.EPROTONOSUPPORT,
        };
    }

    private static ulong Make(BpfRuntime* runtime, byte* ip, byte* tcp, uint tcpSize, bool isIpv6)
    {
        var announced = SynCookies.SegmentSizeOf(new ReadOnlySpan<byte>(tcp, (int)tcpSize)[TcpHeaderSize..]);
        var segmentSize =
            announced != 0 ? announced
            : isIpv6 ? Ipv6SegmentSize
            : Ipv4SegmentSize;
        var (source, destination) = ReadEnds(ip, tcp, isIpv6);
        var cookie = NetworkEnvironment
            .Of(runtime)
            .SynCookies.Make(
                source,
                destination,
                ReadNumber(tcp, 4),
                ref segmentSize,
                runtime->GetServices().Jiffies64()
            );
        return cookie | ((ulong)segmentSize << 32);
    }

    private static bool Check(BpfRuntime* runtime, byte* ip, byte* tcp, bool isIpv6)
    {
        var (source, destination) = ReadEnds(ip, tcp, isIpv6);
        var segmentSize = NetworkEnvironment
            .Of(runtime)
            .SynCookies.Check(
                source,
                destination,
                ReadNumber(tcp, 8) - 1,
                ReadNumber(tcp, 4) - 1,
                runtime->GetServices().Jiffies64()
            );
        return segmentSize != 0;
    }

    private static bool IsIpv6(byte* ip) => ip[0] >> 4 == 6;

    // The length that a TCP header says it has, options included.
    private static uint LengthOf(byte* tcp) => (uint)(tcp[12] >> 4) * 4;

    private static (Endpoint Source, Endpoint Destination) ReadEnds(byte* ip, byte* tcp, bool isIpv6)
    {
        var (at, length) = isIpv6 ? (8, 16) : (12, 4);
        var ports = new ReadOnlySpan<byte>(tcp, 4);
        return (
            new(NetworkAddress.Read(ip + at, isIpv6), BinaryPrimitives.ReadUInt16BigEndian(ports)),
            new(NetworkAddress.Read(ip + at + length, isIpv6), BinaryPrimitives.ReadUInt16BigEndian(ports[2..]))
        );
    }

    private static uint ReadNumber(byte* header, int at) =>
        BinaryPrimitives.ReadUInt32BigEndian(new ReadOnlySpan<byte>(header + at, 4));

    private static ulong Error(int errno) => (ulong)-(long)errno;

    [Flags]
    private enum TcpFlags : byte
    {
        Fin = 1,
        Syn = 2,
        Rst = 4,
        Ack = 16,
    }
}
