using RxStages.Captures;
using RxStages.TrafficGenerator.Packets;
using RxStages.TrafficGenerator.Traffic;

namespace RxStages.TrafficGenerator;

/// <summary>The captures that the repository keeps in <c>samples/</c>, each with its seed.</summary>
public static class Samples
{
    /// <summary>The seed of <c>intermixed.pcapng</c>: the day of the talk that explained RX-stages.</summary>
    public const ulong IntermixedSeed = 20160810;

    /// <summary>How many packets <c>intermixed.pcapng</c> has.</summary>
    public const int IntermixedPackets = 20_000;

    /// <summary>When all captures begin: 2016-08-10, 12:00 UTC, in nanoseconds since 1970.</summary>
    private const ulong Start = 1_470_830_400_000_000_000;

    /// <summary>Every file by its name under <c>samples/</c>, with what writes it.</summary>
    public static IReadOnlyDictionary<string, Func<byte[]>> Files { get; } =
        new Dictionary<string, Func<byte[]>>
        {
            ["intermixed.pcapng"] = () => Pcapng(IntermixedTraffic.Generate(IntermixedSeed, IntermixedPackets)),
            ["ipv6.pcapng"] = () => Pcapng(ProtocolSamples.IPv6(seed: 6)),
            ["vlan.pcap"] = () => BigEndianPcap(ProtocolSamples.Vlan(seed: 8021)),
            ["echo.pcapng"] = () => Pcapng(ProtocolSamples.Echo(seed: 792)),
            ["edge-cases.pcapng"] = EdgeCases,
            ["cut-short.pcap"] = () => BigEndianPcap(ProtocolSamples.Vlan(seed: 8021)[..3])[..^10],
            ["maps/blocked_v4.json"] = () => FilterMaps.BlockList(Network.BlockedV4),
            ["maps/blocked_v6.json"] = () => FilterMaps.BlockList(Network.BlockedV6),
            ["maps/port_rules.json"] = FilterMaps.PortRules,
        };

    /// <summary>A pcapng file of one interface.</summary>
    public static byte[] Pcapng(IReadOnlyList<TimedFrame> frames)
    {
        using var stream = new MemoryStream();
        using (var writer = new CaptureWriter(stream, "memory", CaptureFormat.Pcapng))
        {
            writer.AddInterface(new CaptureInterface { Name = "eth0" });
            foreach (var frame in frames)
            {
                writer.Write(new CapturePacket { Data = frame.Bytes, Timestamp = Start + frame.Time });
            }
        }
        return stream.ToArray();
    }

    /// <summary>A pcap file with nanoseconds in the byte order that is rarer today.</summary>
    private static byte[] BigEndianPcap(IReadOnlyList<TimedFrame> frames)
    {
        var file = new NetworkBytes()
            .UInt32(0xa1b23c4d)
            .UInt16(2)
            .UInt16(4)
            .UInt32(0)
            .UInt32(0)
            .UInt32(CapturePacket.MaximumLength)
            .UInt32((uint)LinkType.Ethernet);
        foreach (var (time, bytes) in frames)
        {
            var (seconds, nanoseconds) = Math.DivRem(Start + time, 1_000_000_000ul);
            file.UInt32((uint)seconds)
                .UInt32((uint)nanoseconds)
                .UInt32((uint)bytes.Length)
                .UInt32((uint)bytes.Length)
                .UInt8(bytes);
        }
        return file.ToArray();
    }

    /// <summary>Frames of unusual lengths on several interfaces, with and without options, whole and truncated.</summary>
    private static byte[] EdgeCases()
    {
        const uint snapLength = 96;
        var random = new Randomness(3521);
        using var stream = new MemoryStream();
        using (var writer = new CaptureWriter(stream, "memory", CaptureFormat.Pcapng))
        {
            var whole = writer.AddInterface(new CaptureInterface { Name = "eth0" });
            var cut = writer.AddInterface(new CaptureInterface { Name = "eth1", SnapLength = snapLength });
            writer.AddInterface(new CaptureInterface { Name = "wlan0", LinkType = LinkType.Ieee80211Radiotap });
            ulong now = Start;
            foreach (var length in ProtocolSamples.EdgeLengths)
            {
                var frame = ProtocolSamples.FrameOfLength(random, length);
                writer.Write(
                    new CapturePacket
                    {
                        Data = frame,
                        Interface = whole,
                        Timestamp = now++,
                    }
                );
                if (length > snapLength)
                {
                    writer.Write(
                        new CapturePacket
                        {
                            Data = frame.AsSpan(0, (int)snapLength),
                            OriginalLength = (uint)length,
                            Interface = cut,
                            Timestamp = now++,
                            Flags = 1,
                            DropCount = 2,
                            PacketId = 0x0123456789abcdef,
                            Queue = 3,
                            Comment = "cut to the snap length"u8,
                        }
                    );
                }
            }
            foreach (
                var frame in MalformedFrames.All(random, Network.AttackersV4.Pick(random), Network.WebServersV4[0])
            )
            {
                writer.Write(
                    new CapturePacket
                    {
                        Data = frame,
                        Interface = whole,
                        Timestamp = now++,
                        Comment = "malformed"u8,
                    }
                );
            }
        }
        return stream.ToArray();
    }
}
