using RxStages.Bpf.Errors;

namespace RxStages.Captures;

/// <summary>
/// Reads the classic format, <c>pcap-savefile(5)</c>: a header of 24 bytes, then each packet with a header of 16 in front.
/// </summary>
internal sealed class PcapReader
{
    private readonly CaptureBuffer _buffer;
    private readonly ByteOrder _order;
    private readonly uint _nanosecondsPerTick;
    private readonly CaptureInterface _interface;
    private long _packets;

    private const int FileHeaderSize = 24;
    private const int PacketHeaderSize = 16;
    private const uint FcsLengthPresent = 1 << 26;

    /// <summary>Reads the file's header.</summary>
    public PcapReader(CaptureBuffer buffer, ByteOrder order, bool hasNanoseconds)
    {
        _buffer = buffer;
        _order = order;
        _nanosecondsPerTick = hasNanoseconds ? 1u : 1000;
        if (!buffer.Ensure(FileHeaderSize))
        {
            throw Broken($"the pcap header has 24 bytes, but the file ends after {buffer.Window.Length}");
        }
        var header = buffer.Window[..FileHeaderSize];
        var (major, minor) = (order.ReadUInt16(header[4..]), order.ReadUInt16(header[6..]));
        if (major != 2 || minor != 4)
        {
            throw Broken($"pcap version {major}.{minor} is not supported, only 2.4");
        }
        var link = order.ReadUInt32(header[20..]);
        _interface = new CaptureInterface
        {
            LinkType = (LinkType)(ushort)link,
            SnapLength = order.ReadUInt32(header[16..]),
            // In words of 16 bits.
            FcsLength = (link & FcsLengthPresent) != 0 ? (int)(link >> 28) * 2 : 0,
        };
        Interfaces.Add(_interface);
        buffer.Advance(FileHeaderSize);
    }

    public List<CaptureInterface> Interfaces { get; } = [];

    public bool TryRead(out CapturePacket packet)
    {
        if (!_buffer.Ensure(PacketHeaderSize))
        {
            if (_buffer.Window.IsEmpty)
            {
                packet = default;
                return false;
            }
            throw Broken($"the file ends within a packet header: {_buffer.Window.Length} of 16 bytes are left");
        }
        var header = _buffer.Window[..PacketHeaderSize];
        var captured = _order.ReadUInt32(header[8..]);
        var original = _order.ReadUInt32(header[12..]);
        if (!PacketLimits.Allow(captured, original, _interface))
        {
            throw Broken(PacketLimits.Reason(captured, original, _interface));
        }
        if (!_buffer.Ensure(PacketHeaderSize + (int)captured))
        {
            throw Broken(
                $"the file ends within a packet: {_buffer.Window.Length - PacketHeaderSize} of {captured} bytes are left"
            );
        }
        var record = _buffer.Window[..(PacketHeaderSize + (int)captured)];
        var data = PacketLimits.WithoutFcs(record[PacketHeaderSize..], ref original, _interface.FcsLength);
        packet = new CapturePacket
        {
            Data = data,
            OriginalLength = original,
            Timestamp =
                (_order.ReadUInt32(record) * 1_000_000_000ul)
                + ((ulong)_order.ReadUInt32(record[4..]) * _nanosecondsPerTick),
            Index = _packets++,
            Offset = _buffer.Offset,
        };
        _buffer.Advance(record.Length);
        return true;
    }

    private InputException Broken(string reason) =>
        new(_buffer.Source, _buffer.Offset == 0 ? "offset 0" : $"packet {_packets} at offset {_buffer.Offset}", reason);
}
