using System.Buffers.Binary;

namespace RxStages.Captures;

/// <summary>Writes the classic format, little endian, with nanoseconds.</summary>
internal static class PcapWriter
{
    private const int FileHeaderSize = 24;
    private const int PacketHeaderSize = 16;
    private const uint NanosecondMagic = 0xa1b23c4d;
    private const ulong NanosecondsPerSecond = 1_000_000_000;

    public static void WriteHeader(CaptureOutput output)
    {
        var header = output.Append(FileHeaderSize);
        header.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header, NanosecondMagic);
        BinaryPrimitives.WriteUInt16LittleEndian(header[4..], 2);
        BinaryPrimitives.WriteUInt16LittleEndian(header[6..], 4);
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], CapturePacket.MaximumLength);
        BinaryPrimitives.WriteUInt32LittleEndian(header[20..], (uint)LinkType.Ethernet);
    }

    public static void WritePacket(CaptureOutput output, in CapturePacket packet, ReadOnlySpan<byte> fragments)
    {
        var length = packet.Data.Length + fragments.Length;
        var record = output.Append(PacketHeaderSize + length);
        // Seconds have 32 bits: they last until 2106.
        BinaryPrimitives.WriteUInt32LittleEndian(record, (uint)(packet.Timestamp / NanosecondsPerSecond));
        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], (uint)(packet.Timestamp % NanosecondsPerSecond));
        BinaryPrimitives.WriteUInt32LittleEndian(record[8..], (uint)length);
        BinaryPrimitives.WriteUInt32LittleEndian(record[12..], Math.Max(packet.OriginalLength, (uint)length));
        packet.Data.CopyTo(record[PacketHeaderSize..]);
        fragments.CopyTo(record[(PacketHeaderSize + packet.Data.Length)..]);
    }
}
