using RxStages.Captures;

namespace RxStages.Tests.Captures;

public class PcapngReaderTests
{
    private static readonly byte[] Frame = [.. Enumerable.Range(0, 61).Select(i => (byte)i)];
    private static readonly string FrameHex = Convert.ToHexString(Frame);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void InterfacesAndAllOptionsAreReadInBothByteOrders(bool bigEndian)
    {
        var capture = new CaptureBytes(bigEndian)
            .SectionHeader()
            .Interface(1, 1500, options => options.Option(2, "eth0"u8.ToArray()).Option(9, 9))
            .Interface(101)
            .EnhancedPacket(
                0,
                1_700_000_000_123_456_789,
                Frame,
                options: options =>
                    options
                        .Option(1, "first"u8.ToArray())
                        .Option(1, "second"u8.ToArray())
                        .Option(2, value => value.UInt32(0x11))
                        .Option(3, 0, 1, 2, 3, 4)
                        .Option(4, value => value.UInt64(7))
                        .Option(5, value => value.UInt64(0x0123456789abcdef))
                        .Option(6, value => value.UInt32(3))
                        .Option(7, 0, 1)
                        .Option(7, value => value.UInt8(1).UInt64(9))
                        .Option(7, value => value.UInt8(2).UInt64(4))
                        .Option(2988, 1, 2, 3, 4, 5)
                        .UInt16(0, 0)
            )
            .ToArray();

        Assert.Equal(
            new RecordedPacket
            {
                Data = FrameHex,
                OriginalLength = 61,
                Timestamp = 1_700_000_000_123_456_789,
                Comment = "first",
                Flags = 0x11,
                DropCount = 7,
                PacketId = 0x0123456789abcdef,
                Queue = 3,
                XdpVerdict = 4,
            },
            Assert.Single(RecordedPacket.ReadAll(capture))
        );
        using var reader = new CaptureReader(new MemoryStream(capture), "test");
        Assert.True(reader.TryRead(out var packet));
        Assert.Equal(
            (0, capture.Length - packet.Offset),
            (packet.Index, PacketBlockLength(capture, bigEndian, packet))
        );
        Assert.Equal(
            [("eth0", LinkType.Ethernet, 1500u), (null, LinkType.Raw, 0u)],
            reader.Interfaces.Select(i => (i.Name, i.LinkType, i.SnapLength))
        );
    }

    private static long PacketBlockLength(byte[] capture, bool bigEndian, CapturePacket packet) =>
        new ByteOrder(bigEndian).ReadUInt32(capture.AsSpan((int)packet.Offset + 4));

    [Theory]
    [InlineData(0, 17, 17_000_000_000)]
    [InlineData(3, 17, 17_000_000)]
    [InlineData(6, 1_700_000_000_123_456, 1_700_000_000_123_456_000)]
    [InlineData(9, 1_700_000_000_123_456_789, 1_700_000_000_123_456_789)]
    [InlineData(12, 1_999, 1)]
    [InlineData(28, ulong.MaxValue, 1)]
    [InlineData(29, ulong.MaxValue, 0)]
    [InlineData(127, ulong.MaxValue, 0)]
    [InlineData(0x80 | 0, 5, 5_000_000_000)]
    [InlineData(0x80 | 10, 1024 + 512, 1_500_000_000)]
    [InlineData(0x80 | 32, (1_700_000_000ul << 32) + (1ul << 31), 1_700_000_000_500_000_000)]
    [InlineData(0x80 | 127, ulong.MaxValue, 0)]
    [InlineData(6, ulong.MaxValue, ulong.MaxValue)]
    public void TimestampsOfAnyUnitBecomeNanoseconds(byte resolution, ulong ticks, ulong nanoseconds)
    {
        var capture = new CaptureBytes(false)
            .SectionHeader()
            .Interface(options: options => options.Option(9, resolution))
            .EnhancedPacket(0, ticks, Frame);
        Assert.Equal(nanoseconds, Assert.Single(RecordedPacket.ReadAll(capture.ToArray())).Timestamp);
    }

    [Theory]
    [InlineData(1_700_000_000, 5, 1_700_000_000_000_005_000)]
    [InlineData(-10, 11_000_000, 1_000_000_000)]
    [InlineData(-10, 5, 0)]
    [InlineData(long.MaxValue, 5, ulong.MaxValue)]
    [InlineData(long.MinValue, ulong.MaxValue, 0)]
    public void TheTimestampOffsetIsAddedInSeconds(long offset, ulong ticks, ulong nanoseconds)
    {
        var capture = new CaptureBytes(true)
            .SectionHeader()
            .Interface(options: options => options.Option(14, value => value.UInt64((ulong)offset)))
            .EnhancedPacket(0, ticks, Frame);
        Assert.Equal(nanoseconds, Assert.Single(RecordedPacket.ReadAll(capture.ToArray())).Timestamp);
    }

    [Fact]
    public void EverySectionHasItsOwnByteOrderAndInterfaces()
    {
        byte[] capture =
        [
            .. new CaptureBytes(false).SectionHeader().Interface().Interface().EnhancedPacket(1, 1, Frame).ToArray(),
            .. new CaptureBytes(true).SectionHeader(minor: 2).Interface().EnhancedPacket(0, 2, Frame).ToArray(),
            .. new CaptureBytes(false).SectionHeader().EnhancedPacket(0, 3, Frame).ToArray(),
        ];
        var (packets, error) = RecordedPacket.ReadUntilError(capture);
        Assert.Equal([(1, 1000ul), (2, 2000ul)], packets.Select(packet => (packet.Interface, packet.Timestamp)));
        Assert.Contains("a packet of interface 0, which the section has not described", error?.Message);
    }

    [Fact]
    public void SimplePacketsAreCutAtTheSnapLengthOfTheFirstInterface()
    {
        var capture = new CaptureBytes(false)
            .SectionHeader()
            .Interface(snapLength: 20)
            .Block(3, block => block.UInt32(61).UInt8(Frame[..20]))
            .Block(3, block => block.UInt32(14).UInt8(Frame[..14]))
            .ToArray();
        Assert.Equal(
            [
                new RecordedPacket { Data = Convert.ToHexString(Frame[..20]), OriginalLength = 61 },
                new RecordedPacket { Data = Convert.ToHexString(Frame[..14]), OriginalLength = 14 },
            ],
            RecordedPacket.ReadAll(capture)
        );
    }

    [Theory]
    [InlineData(5, 5ul)]
    [InlineData(0xffff, null)]
    public void ObsoletePacketBlocksAreReadWithTheirDropCount(int drops, ulong? expected)
    {
        var capture = new CaptureBytes(true)
            .SectionHeader()
            .Interface()
            .Block(2, block => block.UInt16(0, drops).UInt32(0, 9, 61, 1514).UInt8(Frame))
            .ToArray();
        Assert.Equal(
            new RecordedPacket
            {
                Data = FrameHex,
                OriginalLength = 1514,
                Timestamp = 9000,
                DropCount = expected,
            },
            Assert.Single(RecordedPacket.ReadAll(capture))
        );
    }

    [Fact]
    public void OtherBlocksAreSkippedHoweverLongTheyAre()
    {
        var capture = new CaptureBytes(false)
            .SectionHeader()
            .Block(4, block => block.UInt16(0, 0))
            .Interface()
            .Block(5, block => block.UInt32(0, 0, 0))
            .Block(0x0bad, block => block.UInt32(1).UInt8(new byte[3_000_000]))
            .EnhancedPacket(0, 0, Frame)
            .Block(10, block => block.UInt8(new byte[8]))
            .ToArray();
        Assert.Equal(FrameHex, Assert.Single(RecordedPacket.ReadAll(capture)).Data);
    }

    [Theory]
    [InlineData(32, 0, 57)]
    [InlineData(4, 0, 57)]
    [InlineData(0, 0, 61)]
    [InlineData(0, 2, 59)]
    [InlineData(32, 2, 59)]
    public void TheFrameCheckSequenceOfTheInterfaceOrThePacketIsTakenOff(byte ofInterface, int ofPacket, int length)
    {
        var capture = new CaptureBytes(false)
            .SectionHeader()
            .Interface(options: options => options.Option(13, ofInterface))
            .EnhancedPacket(
                0,
                0,
                Frame,
                options: options => options.Option(2, value => value.UInt32((ofPacket << 5) | 1))
            )
            .ToArray();
        var packet = Assert.Single(RecordedPacket.ReadAll(capture));
        Assert.Equal((2 * length, (uint)length, 1u), (packet.Data.Length, packet.OriginalLength, packet.Flags));
    }

    public static TheoryData<string, Action<CaptureBytes>> BrokenBlocks =>
        new()
        {
            { "a block of 13 bytes: not a multiple of 4, or shorter than 12", b => b.UInt32(6, 13, 0, 0) },
            { "a block of 8 bytes: not a multiple of 4, or shorter than 12", b => b.UInt32(9, 8, 0) },
            { "a block of type 6 with 28 bytes is too short", b => b.Block(6, block => block.UInt8(new byte[16])) },
            { "a block of 4294967292 bytes is longer than the limit of 524288", b => b.UInt32(6, 0xffff_fffc, 0) },
            { "the file ends within a block: 12 of 4294967292 bytes are left", b => b.UInt32(9, 0xffff_fffc, 0) },
            { "the file ends within a block: 12 of 40 bytes are left", b => b.UInt32(6, 40, 0) },
            { "the file ends within a block header: 4 of 8 bytes are left", b => b.UInt32(6) },
            { "a block of 16 bytes ends with another length: 20", b => b.UInt32(9, 16, 0, 20) },
            { "a packet of interface 1, which the section has not described", b => b.EnhancedPacket(1, 0, Frame) },
            {
                "a packet of 100 bytes in a block with room for 64",
                b => b.Block(6, block => block.UInt32(0, 0, 0, 100, 100).UInt8(Frame))
            },
            {
                "a packet of 2147483647 bytes is longer than the limit of 262144",
                b => b.Block(6, block => block.UInt32(0, 0, 0, int.MaxValue, int.MaxValue).UInt8(Frame))
            },
            {
                "a packet of 2147483647 bytes is longer than the limit of 262144",
                b => b.Block(3, block => block.UInt32(int.MaxValue).UInt8(Frame))
            },
            {
                "epb_queue has 3 bytes instead of 4",
                b => b.EnhancedPacket(0, 0, Frame, options: o => o.Option(6, 1, 2, 3))
            },
            {
                "option 1 is longer than what is left of the block",
                b => b.EnhancedPacket(0, 0, Frame, options: o => o.UInt16(1, 5).UInt32(0))
            },
            { "pcapng version 2.0 is not supported, only 1.0", b => b.SectionHeader(2) },
            {
                "a section header without the byte-order magic: 00000000",
                b => b.Block(0x0a0d0d0a, s => s.UInt32(0, 0))
            },
            {
                "an interface name of 256 bytes is longer than the limit of 255",
                b => b.Interface(options: o => o.Option(2, new byte[256]))
            },
        };

    [Theory]
    [MemberData(nameof(BrokenBlocks))]
    public void ABrokenBlockIsReportedWithItsOffsetAfterThePacketsBefore(string reason, Action<CaptureBytes> add)
    {
        var capture = new CaptureBytes(false).SectionHeader().Interface().EnhancedPacket(0, 0, Frame);
        var offset = capture.ToArray().Length;
        add(capture);
        var (packets, error) = RecordedPacket.ReadUntilError(capture.ToArray());
        Assert.Single(packets);
        Assert.Equal($"test: offset {offset}, after 1 packets: {reason}", error?.Message);
    }

    [Fact]
    public void AnotherLinkTypeIsAnErrorOnlyWhenAPacketOfItComes()
    {
        var capture = new CaptureBytes(false)
            .SectionHeader()
            .Interface(127, options: options => options.Option(2, "wlan0"u8.ToArray()))
            .Interface()
            .EnhancedPacket(1, 0, Frame)
            .EnhancedPacket(0, 0, Frame);
        var (packets, error) = RecordedPacket.ReadUntilError(capture.ToArray());
        Assert.Single(packets);
        Assert.Contains("link type is 127, Ieee80211Radiotap (interface wlan0); XDP", error?.Message);
    }

    [Fact]
    public void TheNumberOfInterfacesIsLimited()
    {
        var capture = new CaptureBytes(false).SectionHeader();
        for (var i = 0; i <= 16384; i++)
        {
            capture.Interface();
        }
        var (_, error) = RecordedPacket.ReadUntilError(capture.ToArray());
        Assert.Contains("more than 16384 interfaces are not supported", error?.Message);
    }
}
