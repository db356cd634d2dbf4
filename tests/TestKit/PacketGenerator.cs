using System.Buffers.Binary;

namespace RxStages.TestKit;

/// <summary>
/// Random packets as programs meet them: well-formed ones of all the protocols that programs parse, addresses and ports from
/// small sets so that flows come again, and packets with something broken. The same seed makes the same packets.
/// </summary>
/// <param name="seed">The seed.</param>
public sealed class PacketGenerator(int seed)
{
    /// <summary>The least that the kernel's test run takes: an Ethernet header.</summary>
    public const int MinLength = 14;

    private const int MaxLength = 9000;

    private static readonly ushort[] s_ports =
    [
        .. (ushort[])[22, 53, 53, 80, 80, 123, 389, 443, 443, 1900],
        .. (ushort[])[2152, 4789, 5060, 6081, 8080, 11211, 32768, 40000, 40001, 65535],
    ];

    private static readonly string[] s_texts =
    [
        "GET / HTTP/1.1\r\nHost: example.org\r\n\r\n",
        "POST /submit HTTP/1.0\r\nContent-Length: 4\r\n\r\nabcd",
        "HTTP/1.1 200 OK\r\nServer: x\r\n\r\nhello",
        "HEAD /index.html HTTP/1.1\r\n\r\n",
        "SSH-2.0-OpenSSH_9.6\r\n",
    ];

    private readonly Random _random = new(seed);

    // Headers are made from the inside out, so what is made so far is put behind the next one.
    private byte[] _packet = [];

    /// <summary>Makes packets.</summary>
    public List<byte[]> Take(int count) => [.. Enumerable.Range(0, count).Select(_ => Next())];

    /// <summary>Makes a packet.</summary>
    public byte[] Next()
    {
        _packet = [];
        PutFrame(depth: 0);
        var packet = _packet.Length > MaxLength ? _packet[..MaxLength] : _packet;
        return Chance(25) ? Break(packet) : Pad(packet);
    }

    private bool Chance(int percent) => _random.Next(100) < percent;

    private T Pick<T>(params ReadOnlySpan<T> choices) => choices[_random.Next(choices.Length)];

    // Ethernet frames as sent are never shorter, most of the time.
    private byte[] Pad(byte[] packet)
    {
        var least = Chance(60) ? 60 : MinLength;
        return packet.Length >= least ? packet : [.. packet, .. new byte[least - packet.Length]];
    }

    // Mostly in the headers, where programs look.
    private byte[] Break(byte[] packet)
    {
        packet = packet.Length < MinLength ? Pad(packet) : packet;
        if (Chance(60))
        {
            packet = packet[.._random.Next(MinLength, Math.Min(packet.Length, 110) + 1)];
        }
        for (var flips = _random.Next(4); flips > 0; flips--)
        {
            packet[_random.Next(Math.Min(packet.Length, 80))] ^= (byte)(1 << _random.Next(8));
        }
        if (Chance(15))
        {
            packet[_random.Next(12, packet.Length)] = Pick<byte>(0, 1, 0x7f, 0x80, 0xff);
        }
        return packet;
    }

    private void Put(params ReadOnlySpan<byte> header) => _packet = [.. header, .. _packet];

    private void PutFrame(int depth)
    {
        var kind = _random.Next(100);
        var type = kind switch
        {
            < 55 => PutIpv4(depth),
            < 80 => PutIpv6(depth),
            < 88 => PutArp(),
            < 94 => PutMpls(depth),
            < 96 => PutPayload(0x88cc),
            _ => PutPayload((ushort)_random.Next(1 << 16)),
        };
        if (Chance(30))
        {
            for (var tags = Pick(1, 1, 1, 2, 2, 3, 5); tags > 0; tags--)
            {
                Put([
                    .. Word((ushort)((_random.Next(8) << 13) | Pick(1, 2, 3, 100, _random.Next(4096)))),
                    .. Word(type),
                ]);
                type = Pick<ushort>(0x8100, 0x8100, 0x88a8);
            }
        }
        Put([.. Mac(), .. Mac(), .. Word(type)]);
    }

    private ushort PutPayload(ushort type)
    {
        PutBytes();
        return type;
    }

    private void PutBytes()
    {
        // Small, as large as a frame, and beyond what is linear in the kernel.
        var length = _random.Next(100) switch
        {
            < 70 => _random.Next(120),
            < 90 => _random.Next(1500),
            < 96 => _random.Next(1500, 3600),
            _ => _random.Next(3300, MaxLength),
        };
        var bytes = new byte[length];
        if (Chance(50))
        {
            _random.NextBytes(bytes);
        }
        Put(bytes);
    }

    private void PutText()
    {
        var text = Pick<string>(s_texts);
        Put([.. text.Select(letter => (byte)letter)]);
    }

    private ushort PutArp()
    {
        Put([
            .. Word(1),
            .. Word(0x0800),
            6,
            4,
            .. Word(Pick<ushort>(1, 1, 2, 3)),
            .. Mac(),
            .. Ipv4Address(),
            .. new byte[6],
            .. Ipv4Address(),
        ]);
        return 0x0806;
    }

    private ushort PutMpls(int depth)
    {
        if (Chance(70))
        {
            PutIpv4(depth + 1);
        }
        else
        {
            PutIpv6(depth + 1);
        }
        var depthOfLabels = Pick(1, 1, 2, 3, 9);
        for (var i = 0; i < depthOfLabels; i++)
        {
            var entry = ((uint)_random.Next(1 << 20) << 12) | (i == 0 ? 0x100u : 0) | Pick<uint>(0, 1, 2, 64, 255);
            Put(Long(entry));
        }
        return 0x8847;
    }

    private ushort PutIpv4(int depth)
    {
        var source = Ipv4Address();
        var destination = Ipv4Address();
        var pseudo = Sum(source) + Sum(destination);
        var fragment = Chance(8) ? Pick<ushort>(0x2000, 0x20b9, 0x00b9, 0x1fff) : Pick<ushort>(0, 0x4000);
        var protocol = PutTransport(pseudo, depth, isIpv6: false);
        var options = Chance(10) ? new byte[4 * _random.Next(1, 11)] : [];
        options.AsSpan().Fill(1);
        var header = new byte[20 + options.Length];
        header[0] = (byte)(0x40 | (header.Length / 4));
        header[1] = Pick<byte>(0, 0, 0x10, 0xb8, 0x02, 0x01, (byte)_random.Next(256));
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), (ushort)(header.Length + _packet.Length));
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(4), (ushort)_random.Next(1 << 16));
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(6), fragment);
        header[8] = Pick<byte>(64, 64, 64, 255, 1, 0, 128);
        header[9] = protocol;
        source.CopyTo(header, 12);
        destination.CopyTo(header, 16);
        options.CopyTo(header, 20);
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(10), Checksum(Sum(header)));
        Put(header);
        return 0x0800;
    }

    private ushort PutIpv6(int depth)
    {
        var source = Ipv6Address();
        var destination = Ipv6Address();
        var next = PutTransport(Sum(source) + Sum(destination), depth, isIpv6: true);
        if (Chance(25))
        {
            for (var count = _random.Next(1, 6); count > 0; count--)
            {
                next = PutExtension(next);
            }
        }
        var header = new byte[40];
        BinaryPrimitives.WriteUInt32BigEndian(
            header,
            0x60000000u | (Pick<uint>(0, 0x2e, 0x01, 0x02, 0x03) << 20) | (uint)_random.Next(1 << 20)
        );
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(4), (ushort)_packet.Length);
        header[6] = next;
        header[7] = Pick<byte>(64, 64, 255, 1, 0);
        source.CopyTo(header, 8);
        destination.CopyTo(header, 24);
        Put(header);
        return 0x86dd;
    }

    private byte PutExtension(byte next)
    {
        switch (_random.Next(5))
        {
            case 0:
                Put([next, 0, .. Word(Pick<ushort>(0, 1, 0x0b90)), .. Long((uint)_random.Next())]);
                return 44;
            case 1:
                Put([next, 4, 0, 0, .. new byte[20]]);
                return 51;
            case var kind:
                var units = _random.Next(3);
                Put([next, (byte)units, 1, 4, .. new byte[4 + (8 * units)]]);
                return kind switch
                {
                    2 => 0,
                    3 => 43,
                    _ => 60,
                };
        }
    }

    // Puts what IP carries; gives its protocol number.
    private byte PutTransport(uint pseudo, int depth, bool isIpv6)
    {
        var kind = _random.Next(100);
        switch (kind)
        {
            case < 38:
                return PutTcp(pseudo);
            case < 72:
                return PutUdp(pseudo, depth);
            case < 82:
                return PutIcmp(pseudo, isIpv6);
            case < 88 when depth < 2:
                return PutGre(depth);
            case < 91 when depth < 2:
                PutIpv4(depth + 1);
                return 4;
            case < 94 when depth < 2:
                PutIpv6(depth + 1);
                return 41;
            case < 97:
                PutBytes();
                Put([.. Word(Port()), .. Word(Port()), .. Long((uint)_random.Next()), .. Long(0)]);
                return 132;
            default:
                PutBytes();
                return (byte)_random.Next(256);
        }
    }

    private byte PutTcp(uint pseudo)
    {
        if (Chance(30))
        {
            PutText();
        }
        else if (Chance(60))
        {
            PutBytes();
        }
        byte[] options = [];
        while (Chance(45) && options.Length < 24)
        {
            options =
            [
                .. options,
                .. Pick<byte[]>(
                    [2, 4, .. Word(Pick<ushort>(1460, 536, 1200, 8960))],
                    [3, 3, (byte)_random.Next(15)],
                    [4, 2],
                    [8, 10, .. Long((uint)_random.Next()), .. Long(0)],
                    [1],
                    [30, 0]
                ),
            ];
        }
        options = [.. options, .. new byte[-options.Length & 3]];
        byte[] header =
        [
            .. Word(Port()),
            .. Word(Port()),
            .. Long((uint)_random.Next()),
            .. Long((uint)_random.Next()),
            (byte)((20 + options.Length) << 2),
            Pick<byte>(0x02, 0x02, 0x10, 0x10, 0x18, 0x12, 0x11, 0x04, 0x14, (byte)_random.Next(256)),
            .. Word((ushort)_random.Next(1 << 16)),
            0,
            0,
            0,
            0,
            .. options,
        ];
        PutWithChecksum(header, 16, pseudo + 6);
        return 6;
    }

    private byte PutUdp(uint pseudo, int depth)
    {
        var destination = Port();
        var source = Port();
        switch (_random.Next(10))
        {
            case 0 or 1:
                PutDns();
                (source, destination) = Chance(70) ? (source, (ushort)53) : ((ushort)53, source);
                break;
            case 2 when depth < 2:
                PutFrame(depth + 1);
                Put([.. Long(Chance(90) ? 0x08000000u : 0), .. Long((uint)Pick(1, 2, 3, _random.Next(1 << 24)) << 8)]);
                destination = 4789;
                break;
            case 3 when depth < 2:
                PutGeneve(depth);
                destination = 6081;
                break;
            case 4 when depth < 2:
                PutIpv4(depth + 1);
                Put([0x30, Pick<byte>(255, 255, 1), .. Word((ushort)_packet.Length), .. Long((uint)_random.Next(6))]);
                destination = 2152;
                break;
            case 5:
                PutText();
                break;
            case 6:
                Put([(byte)_random.Next(256), .. new byte[47]]);
                (source, destination) = Chance(50) ? (source, (ushort)123) : ((ushort)123, source);
                break;
            default:
                PutBytes();
                break;
        }
        byte[] header = [.. Word(source), .. Word(destination), .. Word((ushort)(8 + _packet.Length)), 0, 0];
        if (Chance(20))
        {
            Put(header);
        }
        else
        {
            PutWithChecksum(header, 6, pseudo + 17);
        }
        return 17;
    }

    private void PutGeneve(int depth)
    {
        PutFrame(depth + 1);
        byte[] options = [];
        while (Chance(40) && options.Length < 40)
        {
            var words = _random.Next(3);
            options = [.. options, 1, 2, (byte)_random.Next(64), (byte)words, .. new byte[4 * words]];
        }
        Put([(byte)(options.Length / 4), 0, 0x65, 0x58, .. Long((uint)_random.Next(8) << 8), .. options]);
    }

    private void PutDns()
    {
        var question = Enumerable
            .Range(0, _random.Next(1, 4))
            .SelectMany(_ =>
                Pick<byte[]>(
                    [3, .. "www"u8],
                    [7, .. "eXample"u8],
                    [3, .. "Org"u8],
                    [0xc0, 12],
                    [1, (byte)_random.Next('a', 'f')]
                )
            );
        byte[] header =
        [
            .. Word((ushort)_random.Next(1 << 16)),
            Pick<byte>(0x01, 0x01, 0x81),
            0,
            .. Word(1),
            .. new byte[6],
        ];
        Put([.. header, .. question, 0, .. Word(1), .. Word(1)]);
    }

    private byte PutIcmp(uint pseudo, bool isIpv6)
    {
        PutBytes();
        var type = isIpv6 ? Pick<byte>(128, 128, 129, 135, 2) : Pick<byte>(8, 8, 0, 3, 11);
        PutWithChecksum([type, 0, 0, 0, .. Word(7), .. Word((ushort)_random.Next(100))], 2, isIpv6 ? pseudo + 58 : 0);
        return isIpv6 ? (byte)58 : (byte)1;
    }

    private byte PutGre(int depth)
    {
        ushort type = 0x6558;
        if (Chance(30))
        {
            PutFrame(depth + 1);
        }
        else
        {
            type = Chance(70) ? PutIpv4(depth + 1) : PutIpv6(depth + 1);
        }
        var flags = Pick<ushort>(0, 0, 0x2000, 0x2000, 0x3000, 0xb000, 0x0001);
        for (var optional = 0x8000; optional >= 0x1000; optional >>= 1)
        {
            if ((flags & optional & 0xb000) != 0)
            {
                Put(Long((uint)_random.Next(10)));
            }
        }
        Put([.. Word(flags), .. Word(type)]);
        return 47;
    }

    private void PutWithChecksum(byte[] header, int at, uint pseudo)
    {
        Put(header);
        var sum = pseudo == 0 ? Sum(_packet) : pseudo + (uint)_packet.Length + Sum(_packet);
        // Some are wrong, as on the wire.
        BinaryPrimitives.WriteUInt16BigEndian(_packet.AsSpan(at), (ushort)(Checksum(sum) + (Chance(5) ? 1 : 0)));
    }

    private ushort Port() => Chance(85) ? Pick<ushort>(s_ports) : (ushort)_random.Next(1 << 16);

    private byte[] Mac() => [2, 0, 0, 0, (byte)_random.Next(2), (byte)_random.Next(256)];

    private byte[] Ipv4Address() =>
        _random.Next(10) switch
        {
            < 6 => [10, 0, 0, (byte)_random.Next(1, 9)],
            < 8 => [192, 0, 2, (byte)_random.Next(1, 5)],
            8 => [203, 0, 113, 7],
            _ => [.. Long((uint)_random.NextInt64(1L << 32))],
        };

    private byte[] Ipv6Address() =>
        [0x20, 0x01, 0x0d, 0xb8, 0, (byte)_random.Next(2), .. new byte[9], (byte)_random.Next(1, 9)];

    private static byte[] Word(ushort value) => [(byte)(value >> 8), (byte)value];

    private static byte[] Long(uint value) => [.. Word((ushort)(value >> 16)), .. Word((ushort)value)];

    private static uint Sum(ReadOnlySpan<byte> bytes)
    {
        var sum = 0u;
        for (var i = 0; i < bytes.Length; i++)
        {
            sum += (i & 1) == 0 ? (uint)bytes[i] << 8 : bytes[i];
        }
        return sum;
    }

    private static ushort Checksum(uint sum)
    {
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)~sum;
    }
}
