using System.Globalization;
using RxStages.Bpf.Errors;

namespace RxStages.Bpf.Network;

/// <summary>What a file says of a host's sockets.</summary>
/// <param name="Sockets">The sockets.</param>
/// <param name="SynCookies">The host's setting <c>net.ipv4.tcp_syncookies</c>: 0 never, 1 when a listener is flooded, 2 always.</param>
public sealed record SocketFileContents(IReadOnlyList<NetworkSocket> Sockets, int SynCookies);

/// <summary>Reads sockets from what <c>ss -tuna</c> prints. <c>docs/network-files.md</c> has the format.</summary>
public static class SocketFile
{
    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="routes">The interfaces that sockets may be bound to.</param>
    /// <exception cref="InputException">It cannot be read, or a line of it is not understood.</exception>
    public static SocketFileContents Read(string path, RouteTables routes) =>
        TextLine.ReadFile(path, (reader, source) => Read(reader, source, routes));

    /// <summary>Reads a text.</summary>
    /// <param name="reader">The text.</param>
    /// <param name="source">What errors call it.</param>
    /// <param name="routes">The interfaces that sockets may be bound to.</param>
    /// <exception cref="InputException">A line of it is not understood.</exception>
    public static SocketFileContents Read(TextReader reader, string source, RouteTables routes)
    {
        var sockets = new List<NetworkSocket>();
        var synCookies = 1;
        foreach (var line in TextLine.ReadAll(reader, source))
        {
            switch (line.Words[0])
            {
                case "net.ipv4.tcp_syncookies":
                    line.StartAt(1);
                    _ = line.TakeIf("=");
                    synCookies = (int)line.TakeNumber("a setting of tcp_syncookies", 2);
                    break;
                case "tcp" or "udp" when sockets.Count == SocketTable.MaxSockets:
                    throw line.Error($"the limit is {SocketTable.MaxSockets} sockets");
                case "tcp" or "udp":
                    sockets.Add(ReadSocket(line, routes));
                    break;
                case "Netid":
                // The heading, and kinds of sockets that lookups do not find.
                case "nl"
                or "p_raw"
                or "p_dgr"
                or "u_str"
                or "u_dgr"
                or "u_seq"
                or "raw"
                or "icmp6"
                or "sctp"
                or "dccp"
                or "mptcp"
                or "tipc"
                or "v_str"
                or "v_dgr"
                or "xdp":
                    break;
                default:
                    // ss -e and -i tell more in indented lines.
                    if (!line.IsIndented)
                    {
                        throw line.Error($"'{line.Words[0]}' is no kind of socket: 'ss -tuna' prints such lines");
                    }
                    break;
            }
        }
        return new SocketFileContents(sockets, synCookies);
    }

    private static NetworkSocket ReadSocket(TextLine line, RouteTables routes)
    {
        line.StartAt(1);
        var isTcp = line.Words[0] == "tcp";
        var state = ReadState(line);
        var accepting = line.TakeNumber("Recv-Q");
        var backlog = line.TakeNumber("Send-Q");
        var local = ReadEndpoint(line, "a local address", routes);
        var remote = ReadEndpoint(line, "a peer's address", routes);
        // '*' alone is IPv6 that takes IPv4 too; the other side does not tell the family then.
        var isIpv6 = local.Address.IsIpv6;
        if (remote.Address.IsUnspecified)
        {
            remote.Address = new NetworkAddress(isIpv6, 0);
        }
        if (remote.Address.IsIpv6 != isIpv6)
        {
            throw line.Error("the two addresses are of different families");
        }
        var socket = new NetworkSocket
        {
            IsTcp = isTcp,
            State = state,
            LocalAddress = local.Address,
            LocalPort = local.Port,
            RemoteAddress = remote.Address,
            RemotePort = remote.Port,
            BoundInterface = local.Interface,
            IsIpv6Only = isIpv6 && !local.IsAny && !remote.IsAny && local.Address.IsUnspecified,
            Accepting = state == SocketState.Listen ? accepting : 0,
            Backlog = state == SocketState.Listen ? backlog : 0,
        };
        while (!line.IsAtEnd)
        {
            var word = line.Take("an attribute");
            if (word.StartsWith("fwmark:0x", StringComparison.Ordinal))
            {
                socket = uint.TryParse(
                    word.AsSpan("fwmark:0x".Length),
                    NumberStyles.AllowHexSpecifier,
                    CultureInfo.InvariantCulture,
                    out var mark
                )
                    ? socket with
                    {
                        Mark = mark,
                    }
                    : throw line.Error($"'{word}' is not a mark");
            }
            else if (word.StartsWith("v6only:", StringComparison.Ordinal))
            {
                socket = socket with { IsIpv6Only = word == "v6only:1" };
            }
        }
        return socket;
    }

    private static SocketState ReadState(TextLine line) =>
        line.Take("a state") switch
        {
            "ESTAB" => SocketState.Established,
            "SYN-SENT" => SocketState.SynSent,
            // Requests are printed so; the state of that name is one that hardly ever occurs.
            "SYN-RECV" => SocketState.NewSynReceived,
            "FIN-WAIT-1" => SocketState.FinWait1,
            "FIN-WAIT-2" => SocketState.FinWait2,
            "TIME-WAIT" => SocketState.TimeWait,
            "UNCONN" => SocketState.Close,
            "CLOSE-WAIT" => SocketState.CloseWait,
            "LAST-ACK" => SocketState.LastAck,
            "LISTEN" => SocketState.Listen,
            "CLOSING" => SocketState.Closing,
            var other => throw line.Error($"'{other}' is not a state of a socket"),
        };

    private static (NetworkAddress Address, ushort Port, int Interface, bool IsAny) ReadEndpoint(
        TextLine line,
        string what,
        RouteTables routes
    )
    {
        var word = line.Take(what);
        var colon = word.LastIndexOf(':');
        if (colon < 0)
        {
            throw line.Error($"'{word}' is not {what} with a port");
        }
        ushort port = 0;
        var portText = word.AsSpan(colon + 1);
        if (
            portText is not "*"
            && !ushort.TryParse(portText, NumberStyles.None, CultureInfo.InvariantCulture, out port)
        )
        {
            throw line.Error($"'{portText}' is not a port: 'ss -n' prints numbers");
        }
        var text = word[..colon];
        var index = 0;
        if (text.IndexOf('%', StringComparison.Ordinal) is var percent and >= 0)
        {
            var name = text[(percent + 1)..].TrimEnd(']');
            text = text[..percent];
            index =
                routes.Interfaces.FirstOrDefault(network => network.Name == name)?.Index
                ?? throw line.Error($"no interface '{name}': the file with the routes must have it");
        }
        if (text == "*")
        {
            return (new NetworkAddress(true, 0), port, index, true);
        }
        return NetworkAddress.TryParse(text.AsSpan().TrimStart('[').TrimEnd(']'), out var address)
            ? (address, port, index, false)
            : throw line.Error($"'{text}' is not {what}");
    }
}
