using RxStages.Bpf.Errors;
using RxStages.Captures;

namespace RxStages.Tests.Captures;

/// <summary>A packet of a capture that outlives the reader's buffer, so that tests can compare whole captures.</summary>
internal sealed record RecordedPacket
{
    public required string Data { get; init; }
    public uint OriginalLength { get; init; }
    public int Interface { get; init; }
    public ulong Timestamp { get; init; }
    public uint? Flags { get; init; }
    public ulong? DropCount { get; init; }
    public ulong? PacketId { get; init; }
    public uint? Queue { get; init; }
    public ulong? XdpVerdict { get; init; }
    public string Comment { get; init; } = "";

    public static RecordedPacket Of(in CapturePacket packet) =>
        new()
        {
            Data = Convert.ToHexString(packet.Data),
            OriginalLength = packet.OriginalLength,
            Interface = packet.Interface,
            Timestamp = packet.Timestamp,
            Flags = packet.Flags,
            DropCount = packet.DropCount,
            PacketId = packet.PacketId,
            Queue = packet.Queue,
            XdpVerdict = packet.XdpVerdict,
            Comment = System.Text.Encoding.UTF8.GetString(packet.Comment),
        };

    /// <summary>All packets of a capture.</summary>
    public static List<RecordedPacket> ReadAll(byte[] capture)
    {
        var (packets, error) = ReadUntilError(capture);
        return error is null ? packets : throw error;
    }

    /// <summary>The packets of a capture up to where it is broken, if it is.</summary>
    public static (List<RecordedPacket> Packets, InputException? Error) ReadUntilError(byte[] capture)
    {
        var packets = new List<RecordedPacket>();
        try
        {
            using var reader = new CaptureReader(new MemoryStream(capture), "test");
            while (reader.TryRead(out var packet))
            {
                packets.Add(Of(packet));
            }
        }
        catch (InputException error)
        {
            return (packets, error);
        }
        return (packets, null);
    }
}
