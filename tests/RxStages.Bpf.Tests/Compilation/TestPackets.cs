using System.Buffers.Binary;

namespace RxStages.Bpf.Tests.Compilation;

/// <summary>Ethernet packets of all sorts, the same for the same seed: enough of each header that parsers get deep.</summary>
internal static class TestPackets
{
    private static readonly ushort[] Ports = [22, 53, 80, 123, 443, 1900, 6001, 11211];

    public static byte[][] Next(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => Packet(random))];

    private static byte[] Packet(Random random)
    {
        var packet = new byte[random.Next(4) == 0 ? random.Next(0, 120) : 120];
        random.NextBytes(packet);
        Write(packet, 0, (byte)(packet.Length > 0 ? packet[0] & 0xfe : 0));
        var offset = 12;
        for (var tags = random.Next(4) == 0 ? random.Next(3) : 0; tags > 0; tags--)
        {
            Write16(packet, offset, 0x8100);
            offset += 4;
        }
        var protocol = (byte)(
            random.Next(4) switch
            {
                0 => 1,
                1 => 6,
                _ => 17,
            }
        );
        if (random.Next(3) > 0)
        {
            Write16(packet, offset, 0x0800);
            offset += 2;
            Write(packet, offset, 0x45);
            Write16(packet, offset + 2, (ushort)Math.Max(20, packet.Length - offset));
            Write16(packet, offset + 6, 0);
            Write(packet, offset + 8, (byte)random.Next(0, 65));
            Write(packet, offset + 9, protocol);
            Write(packet, offset + 12, 10);
            offset += 20;
        }
        else
        {
            Write16(packet, offset, 0x86dd);
            offset += 2;
            Write(packet, offset, 0x60);
            Write(packet, offset + 6, protocol == 1 ? (byte)58 : protocol);
            Write(packet, offset + 7, 64);
            Write(packet, offset + 8, 0x20);
            offset += 40;
        }
        if (protocol == 1)
        {
            Write(packet, offset, (byte)(random.Next(2) * 8));
        }
        else
        {
            Write16(packet, offset + 2, Ports[random.Next(Ports.Length)]);
            Write16(packet, offset + 4, (ushort)random.Next(8, 60));
            Write(packet, offset + 12, 0x50);
            Write(packet, offset + 13, (byte)(1 << random.Next(5)));
        }
        return packet;
    }

    private static void Write(byte[] packet, int offset, byte value)
    {
        if (offset < packet.Length)
        {
            packet[offset] = value;
        }
    }

    private static void Write16(byte[] packet, int offset, ushort value)
    {
        if (offset + 2 <= packet.Length)
        {
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(offset), value);
        }
    }
}
