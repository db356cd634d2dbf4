using RxStages.Captures;

namespace RxStages.Tests.Captures;

public class PcapReaderTests
{
    private const long Microseconds = 0xa1b2c3d4;
    private const long Nanoseconds = 0xa1b23c4d;
    private static readonly byte[] Frame = [.. Enumerable.Range(0, 60).Select(i => (byte)i)];

    [Theory]
    [InlineData(false, Microseconds, 1_700_000_000_123_456_000ul)]
    [InlineData(true, Microseconds, 1_700_000_000_123_456_000ul)]
    [InlineData(false, Nanoseconds, 1_700_000_000_000_123_456ul)]
    [InlineData(true, Nanoseconds, 1_700_000_000_000_123_456ul)]
    public void BothByteOrdersAndBothResolutionsAreRead(bool bigEndian, long magic, ulong timestamp)
    {
        var capture = new CaptureBytes(bigEndian)
            .PcapHeader(magic)
            .PcapPacket(1_700_000_000, 123_456, Frame)
            .PcapPacket(1, 0, Frame[..14], original: 1514)
            .ToArray();
        Assert.Equal(
            [
                new RecordedPacket
                {
                    Data = Convert.ToHexString(Frame),
                    OriginalLength = 60,
                    Timestamp = timestamp,
                },
                new RecordedPacket
                {
                    Data = Convert.ToHexString(Frame[..14]),
                    OriginalLength = 1514,
                    Timestamp = 1_000_000_000,
                },
            ],
            RecordedPacket.ReadAll(capture)
        );
    }

    [Fact]
    public void APacketCutAtTheSnapLengthIsSeenToBeTruncated()
    {
        var capture = new CaptureBytes(false).PcapHeader(Microseconds, 14).PcapPacket(0, 0, Frame[..14], 60).ToArray();
        using var reader = new CaptureReader(new MemoryStream(capture), "test");
        Assert.True(reader.TryRead(out var packet));
        Assert.True(packet.IsTruncated);
        Assert.Equal((0, 24), (packet.Index, packet.Offset));
        Assert.False(reader.TryRead(out _));
        Assert.Equal(new CaptureInterface { SnapLength = 14 }, Assert.Single(reader.Interfaces));
    }

    [Theory]
    [InlineData(60, 56, 56)]
    [InlineData(1514, 60, 1510)]
    [InlineData(62, 58, 58)]
    public void TheFrameCheckSequenceThatTheHeaderAnnouncesIsTakenOff(long original, int captured, uint newOriginal)
    {
        var fcsOfTwoWords = 0x2400_0000 | 1L;
        var capture = new CaptureBytes(true)
            .PcapHeader(Microseconds, link: fcsOfTwoWords)
            .PcapPacket(0, 0, Frame, original)
            .ToArray();
        var packet = Assert.Single(RecordedPacket.ReadAll(capture));
        Assert.Equal((2 * captured, newOriginal), (packet.Data.Length, packet.OriginalLength));
    }

    [Theory]
    [InlineData(0xa1b2cd34, "modified pcap format of Alexey Kuznetzov")]
    [InlineData(0xa1e2cb12, "Navtel")]
    [InlineData(0x1c0001ac, "IXIA")]
    [InlineData(0x736e6f6f, "snoop")]
    [InlineData(0x28b52ffd, "zstd")]
    [InlineData(0xfd377a58, "xz")]
    [InlineData(0x7f454c46, "begins with 7f454c46")]
    public void OtherFormatsAreRejectedByName(long magic, string reason)
    {
        var (_, error) = RecordedPacket.ReadUntilError(new CaptureBytes(true).PcapHeader(magic).ToArray());
        Assert.Contains(reason, error?.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "is empty")]
    [InlineData(3, "only 3 bytes")]
    [InlineData(23, "offset 0: the pcap header has 24 bytes, but the file ends after 23")]
    [InlineData(25, "packet 0 at offset 24: the file ends within a packet header: 1 of 16 bytes are left")]
    [InlineData(99, "packet 0 at offset 24: the file ends within a packet: 59 of 60 bytes are left")]
    [InlineData(101, "packet 1 at offset 100: the file ends within a packet header: 1 of 16 bytes are left")]
    [InlineData(175, "packet 1 at offset 100: the file ends within a packet: 59 of 60 bytes are left")]
    public void AFileThatEndsWithinARecordGivesThePacketsBeforeAndThenSaysWhere(int length, string reason)
    {
        var capture = new CaptureBytes(false)
            .PcapHeader(Microseconds)
            .PcapPacket(0, 0, Frame)
            .PcapPacket(0, 0, Frame)
            .ToArray();
        var (packets, error) = RecordedPacket.ReadUntilError(capture[..length]);
        Assert.Equal(length >= 100 ? 1 : 0, packets.Count);
        Assert.EndsWith(reason, error?.Message.TrimEnd('.'), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(65535, 0xffff_ffff, 0xffff_ffff, "a packet of 4294967295 bytes is longer than the limit of 262144")]
    [InlineData(0, 262145, 262145, "a packet of 262145 bytes is longer than the limit of 262144")]
    [InlineData(96, 97, 97, "a packet of 97 bytes is longer than the interface's snap length of 96")]
    [InlineData(0, 61, 60, "61 bytes are said to be captured of a packet of 60")]
    public void LengthsThatCannotBeAreErrors(long snapLength, long captured, long original, string reason)
    {
        var capture = new CaptureBytes(false)
            .PcapHeader(Microseconds, snapLength)
            .UInt32(0, 0, captured, original)
            .UInt8(new byte[200])
            .ToArray();
        var (_, error) = RecordedPacket.ReadUntilError(capture);
        Assert.Equal($"test: packet 0 at offset 24: {reason}", error?.Message);
    }

    [Fact]
    public void AnotherVersionIsAnError()
    {
        var (_, error) = RecordedPacket.ReadUntilError(
            new CaptureBytes(false).PcapHeader(Microseconds, major: 2, minor: 3).ToArray()
        );
        Assert.Equal("test: offset 0: pcap version 2.3 is not supported, only 2.4", error?.Message);
    }

    [Fact]
    public void AnotherLinkTypeIsAnErrorWhenAPacketComes()
    {
        var header = new CaptureBytes(false).PcapHeader(Microseconds, link: 113);
        Assert.Empty(RecordedPacket.ReadAll(header.ToArray()));
        var (_, error) = RecordedPacket.ReadUntilError(header.PcapPacket(0, 0, Frame).ToArray());
        Assert.Equal(
            "test: packet 0 at offset 24: the packet's link type is 113, LinuxSll; XDP programs are given Ethernet (1) only",
            error?.Message
        );
    }
}
