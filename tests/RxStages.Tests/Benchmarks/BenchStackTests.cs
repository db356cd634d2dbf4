using System.Buffers.Binary;
using RxStages.Benchmarks;
using RxStages.Engine;
using RxStages.Packets;
using RxStages.Ports;
using RxStages.Telemetry;
using RxStages.Tests.Engine;

namespace RxStages.Tests.Benchmarks;

public class BenchStackTests
{
    private const byte Tcp = 6;
    private const byte Udp = 17;

    [Fact]
    public void TheChecksumOfRfc1071sExampleIsRight()
    {
        byte[] example = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        Assert.False(InternetChecksum.IsIntact(InternetChecksum.Add(0, example)));
        Assert.True(InternetChecksum.IsIntact(InternetChecksum.Add(0, [.. example, 0x22, 0x0d])));
    }

    [Theory]
    [InlineData(4, Tcp, 0, 0)]
    [InlineData(4, Udp, 1, 33)]
    [InlineData(4, Tcp, 2, 1400)]
    [InlineData(6, Tcp, 0, 7)]
    [InlineData(6, Udp, 2, 100)]
    public void ChecksumsAreVerifiedToTheLastBit(int version, byte protocol, int tags, int payload)
    {
        var packet = Packet(version, protocol, tags, payload);
        Assert.Equal(ChecksumState.Right, new PacketHeaders(packet).Checksum);
        Assert.Equal(ChecksumState.Right, new PacketHeaders([.. packet, 0, 1, 2]).Checksum);
        Assert.NotEqual(ChecksumState.Right, new PacketHeaders(packet.AsSpan(..^1)).Checksum);
        var headers = new PacketHeaders(packet);
        Assert.Equal(14 + (4 * tags), headers.Network);
        Assert.Equal(headers.Network + (version == 4 ? 20 : 40), headers.Transport);
        for (var at = headers.Transport; at < packet.Length; at++)
        {
            packet[at] ^= 0x10;
            var state = new PacketHeaders(packet).Checksum;
            packet[at] ^= 0x10;
            // The length in a TCP header's data offset, and so on, is not looked at; what is summed is.
            Assert.Equal(ChecksumState.Wrong, state);
        }
    }

    [Fact]
    public void AWrongIPv4HeaderIsWrong()
    {
        var packet = Packet(4, Tcp, 0, 0);
        packet[14 + 8]++;
        Assert.Equal(ChecksumState.Wrong, new PacketHeaders(packet).Checksum);
    }

    [Fact]
    public void APacketCutAnywhereOrOfRandomBytesIsParsedWithoutHarm()
    {
        foreach (var (version, protocol) in new[] { (4, Tcp), (4, Udp), (6, Tcp), (6, Udp) })
        {
            var packet = Packet(version, protocol, 1, 50);
            var random = new Random(version + protocol);
            for (var length = 0; length < packet.Length; length++)
            {
                Assert.NotEqual(ChecksumState.Right, new PacketHeaders(packet.AsSpan(..length)).Checksum);
            }
            for (var i = 0; i < 20_000; i++)
            {
                var broken = (byte[])packet.Clone();
                for (var flips = random.Next(1, 4); flips > 0; flips--)
                {
                    broken[random.Next(12, 80)] = (byte)random.Next(256);
                }
                var headers = new PacketHeaders(broken.AsSpan(..random.Next(broken.Length + 1)));
                Assert.InRange(headers.Transport, 0, broken.Length);
            }
        }
    }

    [Fact]
    public void TheStackTakesAllPacketsAndItsDigestDependsOnThem()
    {
        byte[][] packets =
        [
            Packet(4, Tcp, 0, 10),
            Packet(6, Udp, 0, 9000),
            [1, 2, 3],
            [.. Packet(4, Udp, 0, 10).Select((b, i) => i == 50 ? (byte)(b ^ 1) : b)],
        ];
        using var stack = Deliver(packets);
        Assert.Equal((4, 2, 1), (stack.Delivered, stack.ChecksumsRight, stack.ChecksumsWrong));
        using var same = Deliver(packets);
        Assert.Equal(stack.Digest, same.Digest);
        packets[0][30] ^= 1;
        using var other = Deliver(packets);
        Assert.NotEqual(stack.Digest, other.Digest);
    }

    private static BenchStack Deliver(byte[][] packets)
    {
        using var pool = new FramePool(16, detectMisuse: true);
        var stack = new BenchStack(footprint: 8192, ringSize: 1 << 20);
        using var program = new StructProgram<PassProgram>("pass", default);
        using var worker = new Worker(new TestPort(pool, packets), program, new() { NetworkStack = stack });
        worker.RunToEnd();
        Assert.Equal(packets.Length, worker.Telemetry[Fate.Passed]);
        return stack;
    }

    /// <summary>Makes a packet with right checksums.</summary>
    private static byte[] Packet(int version, byte protocol, int tags, int payload)
    {
        var segment = new byte[(protocol == Tcp ? 20 : 8) + payload];
        new Random(payload).NextBytes(segment);
        var addresses = new byte[version == 4 ? 8 : 32];
        new Random(version).NextBytes(addresses);
        var pseudo = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(pseudo, segment.Length);
        pseudo[7] = protocol;
        PutChecksum(segment, protocol == Tcp ? 16 : 6, [.. addresses, .. pseudo]);
        var ip =
            version == 4
                ? (byte[])[0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, protocol, 0, 0, .. addresses]
                : [0x60, 0, 0, 0, 0, 0, protocol, 64, .. addresses];
        if (version == 4)
        {
            BinaryPrimitives.WriteUInt16BigEndian(ip.AsSpan(2), (ushort)(ip.Length + segment.Length));
            PutChecksum(ip, 10, []);
        }
        else
        {
            BinaryPrimitives.WriteUInt16BigEndian(ip.AsSpan(4), (ushort)segment.Length);
        }
        byte[] tag = [0x81, 0x00, 0, 7];
        byte[] type = version == 4 ? [0x08, 0x00] : [0x86, 0xdd];
        return [.. new byte[12], .. Enumerable.Repeat(tag, tags).SelectMany(t => t), .. type, .. ip, .. segment];
    }

    /// <summary>The checksum as RFC 1071 describes it, 16 bits at a time.</summary>
    private static void PutChecksum(byte[] bytes, int at, byte[] before)
    {
        bytes[at] = bytes[at + 1] = 0;
        byte[] all = [.. before, .. bytes, 0];
        uint sum = 0;
        for (var i = 0; i + 1 < all.Length; i += 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(all.AsSpan(i));
        }
        while (sum > 0xffff)
        {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(at), (ushort)~sum);
    }
}
