using System.Buffers.Binary;
using System.Text;

namespace RxStages.Captures;

/// <summary>Writes pcapng: one little-endian section, timestamps in nanoseconds.</summary>
internal static class PcapngWriter
{
    private const int OptionHeaderSize = 4;
    private const int TrailerSize = 4;
    private const ulong UnknownSectionLength = ulong.MaxValue;

    public static void WriteHeader(CaptureOutput output)
    {
        var application = "rxstages"u8;
        var block = Begin(
            output,
            Pcapng.SectionHeaderBlock,
            Pcapng.SectionHeaderSize,
            OptionSize(application.Length) + OptionHeaderSize
        );
        BinaryPrimitives.WriteUInt32LittleEndian(block[8..], Pcapng.ByteOrderMagic);
        BinaryPrimitives.WriteUInt16LittleEndian(block[12..], 1);
        BinaryPrimitives.WriteUInt16LittleEndian(block[14..], 0);
        BinaryPrimitives.WriteUInt64LittleEndian(block[16..], UnknownSectionLength);
        var options = block[Pcapng.SectionHeaderSize..];
        application.CopyTo(Option(ref options, Pcapng.SectionApplication, application.Length));
        EndOptions(options);
    }

    public static void WriteInterface(CaptureOutput output, CaptureInterface captureInterface)
    {
        var name = Encoding.UTF8.GetBytes(captureInterface.Name ?? "");
        ArgumentOutOfRangeException.ThrowIfGreaterThan(name.Length, ushort.MaxValue);
        var optionsSize = (name.Length > 0 ? OptionSize(name.Length) : 0) + OptionSize(1) + OptionHeaderSize;
        var block = Begin(output, Pcapng.InterfaceDescriptionBlock, Pcapng.InterfaceHeaderSize, optionsSize);
        BinaryPrimitives.WriteUInt16LittleEndian(block[8..], (ushort)captureInterface.LinkType);
        BinaryPrimitives.WriteUInt16LittleEndian(block[10..], 0);
        BinaryPrimitives.WriteUInt32LittleEndian(block[12..], captureInterface.SnapLength);
        var options = block[Pcapng.InterfaceHeaderSize..];
        if (name.Length > 0)
        {
            name.CopyTo(Option(ref options, Pcapng.InterfaceName, name.Length));
        }
        Option(ref options, Pcapng.InterfaceTimestampResolution, 1)[0] = TimestampUnit.Nanoseconds;
        EndOptions(options);
    }

    public static void WritePacket(CaptureOutput output, in CapturePacket packet, ReadOnlySpan<byte> fragments)
    {
        var length = packet.Data.Length + fragments.Length;
        var optionsSize = OptionsSize(packet);
        var block = Begin(
            output,
            Pcapng.EnhancedPacketBlock,
            Pcapng.EnhancedPacketHeaderSize + Pcapng.Padded(length),
            optionsSize
        );
        BinaryPrimitives.WriteUInt32LittleEndian(block[8..], (uint)packet.Interface);
        BinaryPrimitives.WriteUInt32LittleEndian(block[12..], (uint)(packet.Timestamp >> 32));
        BinaryPrimitives.WriteUInt32LittleEndian(block[16..], (uint)packet.Timestamp);
        BinaryPrimitives.WriteUInt32LittleEndian(block[20..], (uint)length);
        BinaryPrimitives.WriteUInt32LittleEndian(block[24..], Math.Max(packet.OriginalLength, (uint)length));
        var data = block.Slice(Pcapng.EnhancedPacketHeaderSize, Pcapng.Padded(length));
        packet.Data.CopyTo(data);
        fragments.CopyTo(data[packet.Data.Length..]);
        data[length..].Clear();
        if (optionsSize == 0)
        {
            return;
        }
        var options = block[(Pcapng.EnhancedPacketHeaderSize + data.Length)..];
        if (!packet.Comment.IsEmpty)
        {
            packet.Comment.CopyTo(Option(ref options, Pcapng.Comment, packet.Comment.Length));
        }
        if (packet.Flags is { } flags)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(Option(ref options, Pcapng.PacketFlags, 4), flags);
        }
        if (packet.DropCount is { } dropCount)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(Option(ref options, Pcapng.PacketDropCount, 8), dropCount);
        }
        if (packet.PacketId is { } packetId)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(Option(ref options, Pcapng.PacketId, 8), packetId);
        }
        if (packet.Queue is { } queue)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(Option(ref options, Pcapng.PacketQueue, 4), queue);
        }
        if (packet.XdpVerdict is { } verdict)
        {
            var value = Option(ref options, Pcapng.PacketVerdict, 9);
            value[0] = Pcapng.VerdictXdp;
            BinaryPrimitives.WriteUInt64LittleEndian(value[1..], verdict);
        }
        EndOptions(options);
    }

    private static int OptionsSize(in CapturePacket packet)
    {
        var size =
            (packet.Comment.IsEmpty ? 0 : OptionSize(packet.Comment.Length))
            + (packet.Flags is null ? 0 : OptionSize(4))
            + (packet.DropCount is null ? 0 : OptionSize(8))
            + (packet.PacketId is null ? 0 : OptionSize(8))
            + (packet.Queue is null ? 0 : OptionSize(4))
            + (packet.XdpVerdict is null ? 0 : OptionSize(9));
        return size == 0 ? 0 : size + OptionHeaderSize;
    }

    /// <summary>Takes room for a block and writes its type and its length, in front and behind.</summary>
    /// <returns>The block without the length behind it.</returns>
    private static Span<byte> Begin(CaptureOutput output, uint type, int headerSize, int optionsSize)
    {
        var length = headerSize + optionsSize + TrailerSize;
        var block = output.Append(length);
        BinaryPrimitives.WriteUInt32LittleEndian(block, type);
        BinaryPrimitives.WriteUInt32LittleEndian(block[4..], (uint)length);
        BinaryPrimitives.WriteUInt32LittleEndian(block[^TrailerSize..], (uint)length);
        return block[..^TrailerSize];
    }

    private static int OptionSize(int valueLength) => OptionHeaderSize + Pcapng.Padded(valueLength);

    /// <summary>Begins an option, and goes on to what is behind it.</summary>
    /// <returns>Room for its value.</returns>
    private static Span<byte> Option(ref Span<byte> options, ushort code, int length)
    {
        var option = options[..OptionSize(length)];
        options = options[option.Length..];
        BinaryPrimitives.WriteUInt16LittleEndian(option, code);
        BinaryPrimitives.WriteUInt16LittleEndian(option[2..], (ushort)length);
        option[(OptionHeaderSize + length)..].Clear();
        return option.Slice(OptionHeaderSize, length);
    }

    private static void EndOptions(Span<byte> options) =>
        BinaryPrimitives.WriteUInt32LittleEndian(options, Pcapng.EndOfOptions);
}
