namespace RxStages.Captures;

/// <summary>Numbers of the pcapng format, as draft-ietf-opsawg-pcapng has them.</summary>
internal static class Pcapng
{
    public const uint SectionHeaderBlock = 0x0a0d0d0a;
    public const uint InterfaceDescriptionBlock = 1;
    public const uint PacketBlock = 2;
    public const uint SimplePacketBlock = 3;
    public const uint EnhancedPacketBlock = 6;

    public const uint ByteOrderMagic = 0x1a2b3c4d;

    /// <summary>Type and length in front of a block; the length is repeated behind it.</summary>
    public const int BlockHeaderSize = 8;

    /// <summary>The bytes in front of the options, with the block header.</summary>
    public const int SectionHeaderSize = BlockHeaderSize + 16;

    /// <inheritdoc cref="SectionHeaderSize"/>
    public const int InterfaceHeaderSize = BlockHeaderSize + 8;

    /// <summary>The bytes in front of the packet, with the block header.</summary>
    public const int EnhancedPacketHeaderSize = BlockHeaderSize + 20;

    /// <inheritdoc cref="EnhancedPacketHeaderSize"/>
    public const int SimplePacketHeaderSize = BlockHeaderSize + 4;

    public const ushort EndOfOptions = 0;
    public const ushort Comment = 1;

    public const ushort SectionApplication = 4;

    public const ushort InterfaceName = 2;
    public const ushort InterfaceTimestampResolution = 9;
    public const ushort InterfaceFcsLength = 13;
    public const ushort InterfaceTimestampOffset = 14;

    public const ushort PacketFlags = 2;
    public const ushort PacketDropCount = 4;
    public const ushort PacketId = 5;
    public const ushort PacketQueue = 6;
    public const ushort PacketVerdict = 7;

    /// <summary>The bits of <c>epb_flags</c> that hold the length of the frame check sequence in bytes.</summary>
    public const uint FlagsFcsLength = 0xfu << 5;

    /// <summary>The first byte of an <c>epb_verdict</c> by an XDP program (<c>Linux_eBPF_XDP</c>); 8 bytes of return value follow.</summary>
    public const byte VerdictXdp = 2;

    /// <summary>A length rounded up to whole words of 4 bytes, as everything in a block is.</summary>
    public static int Padded(int length) => (length + 3) & ~3;
}
