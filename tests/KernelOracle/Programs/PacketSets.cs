using RxStages.Bpf.Errors;
using RxStages.Captures;
using RxStages.TestKit;

namespace RxStages.KernelOracle.Tests.Programs;

/// <summary>Packets to run programs on, in order.</summary>
internal sealed record PacketSet(string Name, IReadOnlyList<byte[]> Packets);

/// <summary>
/// The sample captures, and packets of theirs that are broken. All packets have the 14 bytes that the kernel's test run
/// asks for.
/// </summary>
internal static class PacketSets
{
    private const int MinimumLength = 14;
    private const string Large = "intermixed.pcapng";

    private static readonly List<PacketSet> s_captures =
    [
        .. Directory
            .EnumerateFiles(Repository.PathOf("samples"), "*.pcap*")
            .Select(file => Path.GetFileName(file))
            .Order(StringComparer.Ordinal)
            .Select(name => new PacketSet(name, ReadCapture(name))),
    ];

    /// <summary>All sets.</summary>
    public static IReadOnlyList<PacketSet> All { get; } = [.. s_captures, new PacketSet("broken", MakeBroken())];

    private static List<byte[]> ReadCapture(string name)
    {
        var packets = new List<byte[]>();
        using var reader = CaptureReader.Open(Repository.PathOf("samples", name));
        try
        {
            while (reader.TryRead(out var packet))
            {
                if (packet.Data.Length >= MinimumLength)
                {
                    packets.Add(packet.Data.ToArray());
                }
            }
        }
        catch (InputException)
        {
            // A capture that ends within a packet is one of the samples; the packets before are what we are after.
        }
        return packets;
    }

    private static List<byte[]> MakeBroken()
    {
        var random = new Random(7);
        return
        [
            .. s_captures
                .Where(capture => capture.Name != Large)
                .SelectMany(capture => capture.Packets)
                .Select(packet => Break(packet, random)),
        ];
    }

    // Mostly in the headers, where programs look.
    private static byte[] Break(byte[] packet, Random random)
    {
        var length = random.Next(2) == 0 ? packet.Length : random.Next(MinimumLength, Math.Min(packet.Length, 90) + 1);
        var broken = packet[..length];
        for (var flips = random.Next(4); flips > 0; flips--)
        {
            broken[random.Next(Math.Min(length, 64))] ^= (byte)(1 << random.Next(8));
        }
        return broken;
    }
}
