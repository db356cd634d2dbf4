using System.Buffers.Binary;
using RxStages.TrafficGenerator;
using RxStages.TrafficGenerator.Packets;
using RxStages.TrafficGenerator.Traffic;

namespace RxStages.Tests.Traffic;

public class TcpConnectionTests
{
    private sealed record Segment(bool FromClient, TcpFlags Flags, uint Sequence, uint Acknowledgement, int Length);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AConnectionOpensExchangesDataWithoutGapsAndCloses(bool isV6)
    {
        for (ulong seed = 0; seed < 20; seed++)
        {
            var frames = TcpConnection.ToWebServer(new Randomness(seed), Link.Untagged, isV6).ToList();
            Assert.Equal(frames.OrderBy(frame => frame.Time), frames);
            var segments = frames.Select(frame => Parse(frame.Bytes, isV6)).ToList();
            Assert.Equal(
                [TcpFlags.Syn, TcpFlags.Syn | TcpFlags.Ack, TcpFlags.Ack],
                segments.Take(3).Select(segment => segment.Flags)
            );
            Assert.Equal(
                [TcpFlags.Fin | TcpFlags.Ack, TcpFlags.Fin | TcpFlags.Ack, TcpFlags.Ack],
                segments.TakeLast(3).Select(segment => segment.Flags)
            );
            var next = new Dictionary<bool, uint> { [true] = segments[0].Sequence, [false] = segments[1].Sequence };
            foreach (var segment in segments)
            {
                Assert.Equal(next[segment.FromClient], segment.Sequence);
                next[segment.FromClient] += (uint)segment.Length;
                if (segment.Flags.HasFlag(TcpFlags.Ack))
                {
                    Assert.Equal(next[!segment.FromClient], segment.Acknowledgement);
                }
            }
            Assert.Contains(segments, segment => segment is { FromClient: true, Length: > 1 });
            Assert.Contains(segments, segment => segment is { FromClient: false, Length: > 1 });
        }
    }

    /// <summary>Takes a frame apart and checks its lengths and checksums on the way.</summary>
    private static Segment Parse(byte[] frame, bool isV6)
    {
        Assert.Equal(isV6 ? 0x86dd : 0x0800, BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(12)));
        var ip = frame.AsSpan(14);
        var length = isV6
            ? 40 + BinaryPrimitives.ReadUInt16BigEndian(ip[4..])
            : BinaryPrimitives.ReadUInt16BigEndian(ip[2..]);
        Assert.Equal(Math.Max(60, 14 + length), frame.Length);
        ip = ip[..length];
        if (!isV6)
        {
            Assert.Equal(0xffffu, Sum(ip[..20], 0));
        }
        var tcp = ip[(isV6 ? 40 : 20)..];
        var addresses = isV6 ? ip[8..40] : ip[12..20];
        Assert.Equal(0xffffu, Sum(tcp, Sum(addresses, (uint)tcp.Length + IP.Tcp)));
        var flags = (TcpFlags)tcp[13];
        var data = tcp.Length - (tcp[12] >> 4 << 2);
        return new Segment(
            frame.AsSpan(0, 6).SequenceEqual(Link.ServerMac),
            flags,
            BinaryPrimitives.ReadUInt32BigEndian(tcp[4..]),
            BinaryPrimitives.ReadUInt32BigEndian(tcp[8..]),
            data + ((flags & (TcpFlags.Syn | TcpFlags.Fin)) != TcpFlags.None ? 1 : 0)
        );
    }

    /// <summary>The one's complement sum (RFC 1071): over data with a right checksum in it, all ones.</summary>
    private static uint Sum(ReadOnlySpan<byte> bytes, uint sum)
    {
        for (var i = 0; i < bytes.Length; i += 2)
        {
            sum += (uint)(bytes[i] << 8 | (i + 1 < bytes.Length ? bytes[i + 1] : 0));
            sum = (sum & 0xffff) + (sum >> 16);
        }
        return sum;
    }
}
