using System.Collections.Immutable;
using RxStages.Bpf.Network;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>Helpers that look for the host's sockets.</summary>
internal static unsafe class SocketHelpers
{
    private const string Given =
        "The sockets are those that the user gives; without any none is found. Their priority is 0, their rx_queue_mapping -1.";

    internal static readonly ImmutableArray<HelperDefinition> Definitions =
    [
        Lookup(
            84,
            "sk_lookup_tcp",
            ReturnType.SocketOrNull,
            LookUpTcp,
            "The TCP socket that a packet with these addresses and ports belongs to: a connection, else a listener; to be released."
        ),
        Lookup(
            85,
            "sk_lookup_udp",
            ReturnType.SocketOrNull,
            LookUpUdp,
            "The UDP socket that a packet with these addresses and ports belongs to; to be released."
        ),
        Lookup(
            99,
            "skc_lookup_tcp",
            ReturnType.SocketCommonOrNull,
            LookUpTcpCommon,
            "The TCP socket that a packet with these addresses and ports belongs to, in any state: also requests and connections in TIME_WAIT; to be released."
        ),
        new(
            86,
            "sk_release",
            ReturnType.Integer,
            [ArgumentType.ReleasedSocket],
            Release,
            "net/core/filter.c: bpf_sk_release",
            "Gives a socket back that was looked up."
        ),
        Conversion(136, "skc_to_tcp6_sock", "tcp6_sock", ToTcp6, "an IPv6 TCP socket"),
        Conversion(137, "skc_to_tcp_sock", "tcp_sock", ToTcp, "a TCP socket"),
        Conversion(138, "skc_to_tcp_timewait_sock", "tcp_timewait_sock", ToTimeWait, "a connection in TIME_WAIT"),
        Conversion(139, "skc_to_tcp_request_sock", "tcp_request_sock", ToRequest, "a request for a connection"),
        Conversion(140, "skc_to_udp6_sock", "udp6_sock", ToUdp6, "an IPv6 UDP socket"),
        Conversion(178, "skc_to_unix_sock", "unix_sock", ToOther, "a Unix domain socket, which lookups never find"),
        Conversion(
            196,
            "skc_to_mptcp_sock",
            "mptcp_sock",
            ToOther,
            "a multipath TCP socket's subflow, of which there are none here"
        ),
    ];

    private static HelperDefinition Lookup(
        int id,
        string name,
        ReturnType returns,
        HelperFunction implementation,
        string doc
    ) =>
        new(
            id,
            name,
            returns,
            [
                ArgumentType.Context,
                ArgumentType.ReadableMemory,
                ArgumentType.Size,
                ArgumentType.Anything,
                ArgumentType.Anything,
            ],
            implementation,
            $"net/core/filter.c: bpf_xdp_{name}",
            doc
        )
        {
            AllowsPacketAccess = true,
            Acquires = true,
            Difference = Given,
        };

    private static HelperDefinition Conversion(
        int id,
        string name,
        string structure,
        HelperFunction implementation,
        string what
    ) =>
        new(
            id,
            name,
            ReturnType.BtfPointerOrNull,
            [ArgumentType.SocketCommon],
            implementation,
            $"net/core/filter.c: bpf_{name}",
            $"The kernel's struct {structure} of a socket that is {what}; else null."
        )
        {
            ReturnBtfType = structure,
            Difference =
                "Of the structure only family, state, addresses, ports and bound interface are filled; all else is zero.",
        };

    private static ulong LookUpTcp(
        BpfRuntime* runtime,
        ulong context,
        ulong tuple,
        ulong size,
        ulong netns,
        ulong flags
    )
    {
        var sockets = NetworkEnvironment.Of(runtime).Sockets;
        var index = Find(sockets, (XdpBuff*)context, (byte*)tuple, (uint)size, (int)netns, flags, isTcp: true);
        if (index >= 0)
        {
            var socket = sockets.Sockets[index];
            // sk_to_full_sk
            index = socket.State switch
            {
                SocketState.NewSynReceived => sockets.FindListener(
                    new(SocketTable.Unmapped(socket.LocalAddress), socket.LocalPort),
                    (int)((XdpBuff*)context)->IngressIfindex
                ),
                SocketState.TimeWait => -1,
                _ => index,
            };
        }
        return Pointer(sockets, index);
    }

    private static ulong LookUpTcpCommon(
        BpfRuntime* runtime,
        ulong context,
        ulong tuple,
        ulong size,
        ulong netns,
        ulong flags
    )
    {
        var sockets = NetworkEnvironment.Of(runtime).Sockets;
        return Pointer(
            sockets,
            Find(sockets, (XdpBuff*)context, (byte*)tuple, (uint)size, (int)netns, flags, isTcp: true)
        );
    }

    private static ulong LookUpUdp(
        BpfRuntime* runtime,
        ulong context,
        ulong tuple,
        ulong size,
        ulong netns,
        ulong flags
    )
    {
        var sockets = NetworkEnvironment.Of(runtime).Sockets;
        return Pointer(
            sockets,
            Find(sockets, (XdpBuff*)context, (byte*)tuple, (uint)size, (int)netns, flags, isTcp: false)
        );
    }

    // There is one network namespace, the packet's own; it has no number.
    private static int Find(
        SocketTable sockets,
        XdpBuff* packet,
        byte* tuple,
        uint size,
        int netns,
        ulong flags,
        bool isTcp
    )
    {
        if (flags != 0 || netns >= 0 || !BpfSockTuple.TryRead(tuple, size, out var ends))
        {
            return -1;
        }
        var ifindex = (int)packet->IngressIfindex;
        return isTcp
            ? sockets.FindTcp(ends.Source, ends.Destination, ifindex)
            : sockets.FindUdp(ends.Source, ends.Destination, ifindex);
    }

    private static ulong Pointer(SocketTable sockets, int index) => index < 0 ? 0 : (ulong)sockets.ViewOf(index);

    private static ulong Release(BpfRuntime* runtime, ulong socket, ulong r2, ulong r3, ulong r4, ulong r5) => 0;

    private static ulong ToTcp(BpfRuntime* runtime, ulong socket, ulong r2, ulong r3, ulong r4, ulong r5) =>
        Convert(runtime, socket, static view => IsFull(view) && view->Protocol == BpfSock.ProtocolTcp);

    private static ulong ToTcp6(BpfRuntime* runtime, ulong socket, ulong r2, ulong r3, ulong r4, ulong r5) =>
        Convert(
            runtime,
            socket,
            static view => IsFull(view) && view->Protocol == BpfSock.ProtocolTcp && view->Family == BpfSock.FamilyIpv6
        );

    private static ulong ToTimeWait(BpfRuntime* runtime, ulong socket, ulong r2, ulong r3, ulong r4, ulong r5) =>
        Convert(runtime, socket, static view => view->State == (uint)SocketState.TimeWait);

    private static ulong ToRequest(BpfRuntime* runtime, ulong socket, ulong r2, ulong r3, ulong r4, ulong r5) =>
        Convert(runtime, socket, static view => view->State == (uint)SocketState.NewSynReceived);

    private static ulong ToUdp6(BpfRuntime* runtime, ulong socket, ulong r2, ulong r3, ulong r4, ulong r5) =>
        Convert(
            runtime,
            socket,
            static view => view->Protocol == BpfSock.ProtocolUdp && view->Family == BpfSock.FamilyIpv6
        );

    private static ulong ToOther(BpfRuntime* runtime, ulong socket, ulong r2, ulong r3, ulong r4, ulong r5) => 0;

    // sk_fullsock
    private static bool IsFull(BpfSock* view) =>
        view->State is not ((uint)SocketState.TimeWait or (uint)SocketState.NewSynReceived);

    private delegate bool SocketKind(BpfSock* view);

    private static ulong Convert(BpfRuntime* runtime, ulong socket, SocketKind isKind)
    {
        var sockets = NetworkEnvironment.Of(runtime).Sockets;
        var index = sockets.IndexOf((void*)socket);
        return index >= 0 && isKind(sockets.ViewOf(index)) ? (ulong)sockets.StructureOf(index) : 0;
    }
}
