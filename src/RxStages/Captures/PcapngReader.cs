using System.Text;
using RxStages.Bpf.Errors;

namespace RxStages.Captures;

/// <summary>
/// Reads pcapng (draft-ietf-opsawg-pcapng): sections of blocks, each with its own byte order and interfaces. Blocks that
/// hold neither packets nor interfaces are skipped.
/// </summary>
internal sealed class PcapngReader(CaptureBuffer buffer)
{
    private ByteOrder _order;
    private int _firstOfSection;
    private long _packets;
    private long _blockOffset;

    /// <summary>The most interfaces of a file, so that hostile files cannot fill the memory with them.</summary>
    private const int MaximumInterfaces = 16384;

    /// <summary>The longest name of an interface, in bytes.</summary>
    private const int MaximumNameLength = 255;

    /// <summary>The interfaces of all sections up to here.</summary>
    public List<CaptureInterface> Interfaces { get; } = [];

    public bool TryRead(out CapturePacket packet)
    {
        while (buffer.Ensure(Pcapng.BlockHeaderSize))
        {
            _blockOffset = buffer.Offset;
            var type = _order.ReadUInt32(buffer.Window);
            switch (type)
            {
                case Pcapng.EnhancedPacketBlock:
                    ReadEnhancedPacket(ReadBlock(Pcapng.EnhancedPacketHeaderSize), out packet);
                    return true;
                case Pcapng.SimplePacketBlock:
                    ReadSimplePacket(ReadBlock(Pcapng.SimplePacketHeaderSize), out packet);
                    return true;
                case Pcapng.PacketBlock:
                    ReadObsoletePacket(ReadBlock(Pcapng.EnhancedPacketHeaderSize), out packet);
                    return true;
                case Pcapng.SectionHeaderBlock:
                    ReadSectionHeader();
                    break;
                case Pcapng.InterfaceDescriptionBlock:
                    ReadInterface(ReadBlock(Pcapng.InterfaceHeaderSize));
                    break;
                default:
                    SkipBlock();
                    break;
            }
        }
        if (!buffer.Window.IsEmpty)
        {
            _blockOffset = buffer.Offset;
            throw Broken($"the file ends within a block header: {buffer.Window.Length} of 8 bytes are left");
        }
        packet = default;
        return false;
    }

    private void ReadSectionHeader()
    {
        if (!buffer.Ensure(Pcapng.BlockHeaderSize + 4))
        {
            throw Broken("the file ends within a section header");
        }
        // The block's type reads the same both ways; the byte order applies from its length on.
        var magic = buffer.Window[Pcapng.BlockHeaderSize..];
        _order = new ByteOrder(isBigEndian: magic[0] == 0x1a);
        if (_order.ReadUInt32(magic) != Pcapng.ByteOrderMagic)
        {
            throw Broken($"a section header without the byte-order magic: {Convert.ToHexString(magic[..4])}");
        }
        var block = ReadBlock(Pcapng.SectionHeaderSize);
        var (major, minor) = (_order.ReadUInt16(block[12..]), _order.ReadUInt16(block[14..]));
        // Version 1.2 was written for a time and means 1.0.
        if (major != 1 || minor is not (0 or 2))
        {
            throw Broken($"pcapng version {major}.{minor} is not supported, only 1.0");
        }
        _firstOfSection = Interfaces.Count;
    }

    private void ReadInterface(ReadOnlySpan<byte> block)
    {
        if (Interfaces.Count == MaximumInterfaces)
        {
            throw Broken($"more than {MaximumInterfaces} interfaces are not supported");
        }
        string? name = null;
        var resolution = TimestampUnit.DefaultResolution;
        long offsetSeconds = 0;
        var fcsLength = 0;
        var options = new PcapngOptions(block[Pcapng.InterfaceHeaderSize..^4], _order);
        while (Next(ref options))
        {
            switch (options.Code)
            {
                case Pcapng.InterfaceName:
                    if (options.Value.Length > MaximumNameLength)
                    {
                        throw Broken(
                            $"an interface name of {options.Value.Length} bytes is longer than the limit of {MaximumNameLength}"
                        );
                    }
                    name = Encoding.UTF8.GetString(options.Value.TrimEnd((byte)0));
                    break;
                case Pcapng.InterfaceTimestampResolution:
                    resolution = Sized(options.Value, 1, "if_tsresol")[0];
                    break;
                case Pcapng.InterfaceTimestampOffset:
                    offsetSeconds = (long)_order.ReadUInt64(Sized(options.Value, 8, "if_tsoffset"));
                    break;
                case Pcapng.InterfaceFcsLength:
                    // In bits; but bytes were written before that was made clear.
                    var length = Sized(options.Value, 1, "if_fcslen")[0];
                    fcsLength = length < 8 ? length : length / 8;
                    break;
            }
        }
        Interfaces.Add(
            new CaptureInterface
            {
                Name = name,
                LinkType = (LinkType)_order.ReadUInt16(block[8..]),
                SnapLength = _order.ReadUInt32(block[12..]),
                FcsLength = fcsLength,
                TimestampUnit = TimestampUnit.FromResolution(resolution, offsetSeconds),
            }
        );
    }

    private void ReadEnhancedPacket(ReadOnlySpan<byte> block, out CapturePacket packet) =>
        ReadPacket(block, _order.ReadUInt32(block[8..]), dropCount: null, out packet);

    /// <summary>As an enhanced packet, but with a drop count in the upper half of the interface number.</summary>
    private void ReadObsoletePacket(ReadOnlySpan<byte> block, out CapturePacket packet)
    {
        var dropCount = _order.ReadUInt16(block[10..]);
        ReadPacket(block, _order.ReadUInt16(block[8..]), dropCount == 0xffff ? null : dropCount, out packet);
    }

    private void ReadPacket(
        ReadOnlySpan<byte> block,
        uint interfaceOfSection,
        ulong? dropCount,
        out CapturePacket packet
    )
    {
        var number = InterfaceNumber(interfaceOfSection);
        var captureInterface = Interfaces[number];
        var captured = _order.ReadUInt32(block[20..]);
        var original = _order.ReadUInt32(block[24..]);
        Check(captured, original, captureInterface, block.Length - Pcapng.EnhancedPacketHeaderSize - 4);
        var ticks = ((ulong)_order.ReadUInt32(block[12..]) << 32) | _order.ReadUInt32(block[16..]);
        packet = new CapturePacket
        {
            Data = block.Slice(Pcapng.EnhancedPacketHeaderSize, (int)captured),
            OriginalLength = original,
            Interface = number,
            Timestamp = captureInterface.TimestampUnit.ToNanoseconds(ticks),
            Index = _packets,
            Offset = _blockOffset,
            DropCount = dropCount,
        };
        var options = block[(Pcapng.EnhancedPacketHeaderSize + Pcapng.Padded((int)captured))..^4];
        if (captureInterface.FcsLength != 0 || !options.IsEmpty)
        {
            ReadPacketOptions(options, captureInterface.FcsLength, ref packet);
        }
        _packets++;
    }

    private void ReadPacketOptions(ReadOnlySpan<byte> bytes, int fcsLength, ref CapturePacket packet)
    {
        uint? flags = null;
        var dropCount = packet.DropCount;
        ulong? packetId = null;
        uint? queue = null;
        ulong? verdict = null;
        ReadOnlySpan<byte> comment = default;
        var options = new PcapngOptions(bytes, _order);
        while (Next(ref options))
        {
            switch (options.Code)
            {
                case Pcapng.Comment when comment.IsEmpty:
                    comment = options.Value;
                    break;
                case Pcapng.PacketFlags:
                    flags = _order.ReadUInt32(Sized(options.Value, 4, "epb_flags"));
                    var fcsOfPacket = (int)((flags & Pcapng.FlagsFcsLength) >> 5);
                    fcsLength = fcsOfPacket != 0 ? fcsOfPacket : fcsLength;
                    flags &= ~Pcapng.FlagsFcsLength;
                    break;
                case Pcapng.PacketDropCount:
                    dropCount = _order.ReadUInt64(Sized(options.Value, 8, "epb_dropcount"));
                    break;
                case Pcapng.PacketId:
                    packetId = _order.ReadUInt64(Sized(options.Value, 8, "epb_packetid"));
                    break;
                case Pcapng.PacketQueue:
                    queue = _order.ReadUInt32(Sized(options.Value, 4, "epb_queue"));
                    break;
                case Pcapng.PacketVerdict when !options.Value.IsEmpty && options.Value[0] == Pcapng.VerdictXdp:
                    verdict = _order.ReadUInt64(Sized(options.Value, 9, "epb_verdict")[1..]);
                    break;
            }
        }
        var original = packet.OriginalLength;
        packet = packet with
        {
            Data = PacketLimits.WithoutFcs(packet.Data, ref original, fcsLength),
            OriginalLength = original,
            Flags = flags,
            DropCount = dropCount,
            PacketId = packetId,
            Queue = queue,
            XdpVerdict = verdict,
            Comment = comment,
        };
    }

    private void ReadSimplePacket(ReadOnlySpan<byte> block, out CapturePacket packet)
    {
        var number = InterfaceNumber(0);
        var captureInterface = Interfaces[number];
        var original = _order.ReadUInt32(block[8..]);
        var captured = captureInterface.SnapLength == 0 ? original : Math.Min(original, captureInterface.SnapLength);
        Check(captured, original, captureInterface, block.Length - Pcapng.SimplePacketHeaderSize - 4);
        var data = block.Slice(Pcapng.SimplePacketHeaderSize, (int)captured);
        packet = new CapturePacket
        {
            Data = PacketLimits.WithoutFcs(data, ref original, captureInterface.FcsLength),
            OriginalLength = original,
            Interface = number,
            Index = _packets++,
            Offset = _blockOffset,
        };
    }

    private int InterfaceNumber(uint ofSection)
    {
        if (ofSection >= (uint)(Interfaces.Count - _firstOfSection))
        {
            throw Broken($"a packet of interface {ofSection}, which the section has not described");
        }
        return _firstOfSection + (int)ofSection;
    }

    private void Check(uint captured, uint original, CaptureInterface captureInterface, int room)
    {
        if (!PacketLimits.Allow(captured, original, captureInterface))
        {
            throw Broken(PacketLimits.Reason(captured, original, captureInterface));
        }
        if (Pcapng.Padded((int)captured) > room)
        {
            throw Broken($"a packet of {captured} bytes in a block with room for {room}");
        }
    }

    /// <summary>Goes to the next option; false after the last.</summary>
    private bool Next(ref PcapngOptions options)
    {
        if (!options.TryNext())
        {
            return false;
        }
        return options.IsBroken
            ? throw Broken($"option {options.Code} is longer than what is left of the block")
            : true;
    }

    private ReadOnlySpan<byte> Sized(ReadOnlySpan<byte> value, int size, string name) =>
        value.Length == size ? value : throw Broken($"{name} has {value.Length} bytes instead of {size}");

    /// <summary>The whole block at the window's beginning, which moves on behind it.</summary>
    private ReadOnlySpan<byte> ReadBlock(int headerSize)
    {
        var length = BlockLength();
        if (length < headerSize + 4)
        {
            throw Broken($"a block of type {_order.ReadUInt32(buffer.Window)} with {length} bytes is too short");
        }
        if (length > CaptureBuffer.Size)
        {
            throw Broken($"a block of {length} bytes is longer than the limit of {CaptureBuffer.Size}");
        }
        if (!buffer.Ensure((int)length))
        {
            throw Broken($"the file ends within a block: {buffer.Window.Length} of {length} bytes are left");
        }
        var block = buffer.Window[..(int)length];
        CheckTrailer(block[^4..], length);
        buffer.Advance(block.Length);
        return block;
    }

    private void SkipBlock()
    {
        var length = BlockLength();
        if (!buffer.Skip(length - 4) || !buffer.Ensure(4))
        {
            var left = buffer.Offset + buffer.Window.Length - _blockOffset;
            throw Broken($"the file ends within a block: {left} of {length} bytes are left");
        }
        CheckTrailer(buffer.Window, length);
        buffer.Advance(4);
    }

    private uint BlockLength()
    {
        var length = _order.ReadUInt32(buffer.Window[4..]);
        if (length % 4 != 0 || length < Pcapng.BlockHeaderSize + 4)
        {
            throw Broken($"a block of {length} bytes: not a multiple of 4, or shorter than 12");
        }
        return length;
    }

    private void CheckTrailer(ReadOnlySpan<byte> trailer, uint length)
    {
        var repeated = _order.ReadUInt32(trailer);
        if (repeated != length)
        {
            throw Broken($"a block of {length} bytes ends with another length: {repeated}");
        }
    }

    /// <summary>The error for what is wrong with the present block.</summary>
    private InputException Broken(string reason) =>
        new(buffer.Source, $"offset {_blockOffset}, after {_packets} packets", reason);
}
