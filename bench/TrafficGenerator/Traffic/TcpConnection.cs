using System.Net;
using System.Text;
using RxStages.TrafficGenerator.Packets;

namespace RxStages.TrafficGenerator.Traffic;

/// <summary>
/// A connection of a client with a server, complete: handshake, requests, responses, acknowledgements, end; with the
/// sequence numbers that belong there.
/// </summary>
public sealed class TcpConnection
{
    private const ushort HttpPort = 80;
    private const ushort TlsPort = 443;

    private readonly Randomness _random;
    private readonly Link _link;
    private readonly IPEndPoint _client;
    private readonly IPEndPoint _server;
    private readonly ulong _roundTrip;
    private readonly List<TimedFrame> _frames = [];
    private ulong _now;
    private uint _clientSequence;
    private uint _serverSequence;

    private TcpConnection(Randomness random, Link link, IPEndPoint client, IPEndPoint server)
    {
        _random = random;
        _link = link;
        _client = client;
        _server = server;
        _roundTrip = (ulong)random.Between(200_000, 20_000_000);
        _clientSequence = (uint)random.Next();
        _serverSequence = (uint)random.Next();
    }

    /// <summary>The frames of a connection with one of the web servers that begins at time 0.</summary>
    public static IEnumerable<TimedFrame> ToWebServer(Randomness random, Link link, bool isV6)
    {
        var client = (isV6 ? Network.ClientsV6 : Network.ClientsV4).Pick(random);
        var server = random.Pick<IPAddress>(isV6 ? Network.WebServersV6 : Network.WebServersV4);
        var connection = new TcpConnection(
            random,
            link,
            new IPEndPoint(client, random.EphemeralPort()),
            new IPEndPoint(server, random.Percent(40) ? HttpPort : TlsPort)
        );
        connection.Open();
        for (var requests = random.Between(1, 3); requests > 0; requests--)
        {
            connection.Exchange();
        }
        connection.Close();
        return connection._frames;
    }

    private void Open()
    {
        FromClient(TcpFlags.Syn, options: Transport.SynOptions(_client.Address));
        FromServer(TcpFlags.Syn | TcpFlags.Ack, options: Transport.SynOptions(_client.Address));
        Wait(_roundTrip);
        FromClient(TcpFlags.Ack);
    }

    private void Exchange()
    {
        var (request, response) = Messages();
        FromClient(TcpFlags.Psh | TcpFlags.Ack, request);
        FromServer(TcpFlags.Ack);
        Wait((ulong)_random.Between(50_000, 2_000_000));
        var size = Transport.MaximumSegmentSize(_client.Address);
        for (var offset = 0; offset < response.Length; offset += size)
        {
            var isLast = offset + size >= response.Length;
            var segment = response.AsSpan(offset, isLast ? response.Length - offset : size);
            FromServer(TcpFlags.Ack | (isLast ? TcpFlags.Psh : TcpFlags.None), segment);
            var acknowledgesEverySecond = offset / size % 2 == 1;
            if (acknowledgesEverySecond || isLast)
            {
                Wait(_roundTrip);
                FromClient(TcpFlags.Ack);
            }
        }
    }

    private void Close()
    {
        FromClient(TcpFlags.Fin | TcpFlags.Ack);
        FromServer(TcpFlags.Fin | TcpFlags.Ack);
        Wait(_roundTrip);
        FromClient(TcpFlags.Ack);
    }

    /// <summary>A request and its response: HTTP in the clear, or records of TLS.</summary>
    private (byte[] Request, byte[] Response) Messages()
    {
        var size = _random.Between(0, 9) switch
        {
            < 6 => _random.Between(100, 600),
            < 9 => _random.Between(600, 2900),
            _ => _random.Between(2900, 12000),
        };
        if (_server.Port == TlsPort)
        {
            return (TlsRecord(_random.Between(60, 400)), TlsRecord(size));
        }
        var body = new StringBuilder();
        while (body.Length < size)
        {
            body.Append($"<p>{_random.Next():x16}</p>\n");
        }
        return (
            Encoding.ASCII.GetBytes(
                $"GET /{_random.Next():x} HTTP/1.1\r\nHost: www.example.com\r\nAccept: */*\r\n\r\n"
            ),
            Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n\r\n{body}")
        );
    }

    private byte[] TlsRecord(int length) =>
        new NetworkBytes().UInt8(23, 3, 3).UInt16(length).UInt8(_random.Bytes(length)).ToArray();

    private void FromClient(TcpFlags flags, ReadOnlySpan<byte> data = default, ReadOnlySpan<byte> options = default)
    {
        var acknowledgement = flags.HasFlag(TcpFlags.Ack) ? _serverSequence : 0;
        var packet = Transport.Tcp(_client, _server, flags, _clientSequence, acknowledgement, data, options);
        _frames.Add(new TimedFrame(_now, _link.ToServer(packet)));
        _clientSequence += SequenceLength(flags, data);
        Wait((ulong)_random.Between(5_000, 60_000));
    }

    private void FromServer(TcpFlags flags, ReadOnlySpan<byte> data = default, ReadOnlySpan<byte> options = default)
    {
        var packet = Transport.Tcp(_server, _client, flags, _serverSequence, _clientSequence, data, options);
        _frames.Add(new TimedFrame(_now, _link.FromServer(packet)));
        _serverSequence += SequenceLength(flags, data);
        Wait((ulong)_random.Between(2_000, 20_000));
    }

    private static uint SequenceLength(TcpFlags flags, ReadOnlySpan<byte> data) =>
        (uint)data.Length + ((flags & (TcpFlags.Syn | TcpFlags.Fin)) != TcpFlags.None ? 1u : 0);

    private void Wait(ulong nanoseconds) => _now += nanoseconds;
}
