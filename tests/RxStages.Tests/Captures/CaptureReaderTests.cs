using System.IO.Compression;
using RxStages.Bpf.Errors;
using RxStages.Captures;
using RxStages.TestKit;

namespace RxStages.Tests.Captures;

public class CaptureReaderTests
{
    private static byte[] TwoThousandPackets() =>
        Enumerable
            .Range(0, 2000)
            .Aggregate(
                new CaptureBytes(false).PcapHeader(0xa1b2c3d4),
                (capture, i) =>
                    capture.PcapPacket(i, 0, [.. Enumerable.Range(0, 14 + (i % 1500)).Select(b => (byte)(b + i))])
            )
            .ToArray();

    [Fact]
    public void CompressedCapturesAreReadAsIfTheyWereNot()
    {
        var capture = TwoThousandPackets();
        Assert.Equal(RecordedPacket.ReadAll(capture), RecordedPacket.ReadAll(Compress(capture)));
    }

    [Fact]
    public void BrokenCompressionIsAnErrorAfterThePacketsBefore()
    {
        var compressed = Compress(TwoThousandPackets());
        var (packets, error) = RecordedPacket.ReadUntilError(compressed[..(compressed.Length / 2)]);
        Assert.InRange(packets.Count, 1, 1999);
        Assert.NotNull(error);
        compressed[3] ^= 0xff;
        compressed[12] ^= 0xff;
        Assert.NotNull(RecordedPacket.ReadUntilError(compressed).Error);
    }

    [Fact]
    public void AStreamThatGivesAFewBytesAtATimeIsReadTheSame()
    {
        var capture = TwoThousandPackets();
        using var reader = new CaptureReader(new SlowStream(capture), "test");
        var packets = new List<RecordedPacket>();
        while (reader.TryRead(out var packet))
        {
            packets.Add(RecordedPacket.Of(packet));
        }
        Assert.Equal(RecordedPacket.ReadAll(capture), packets);
        Assert.Null(reader.Progress);
    }

    [Fact]
    public void AFileThatCannotBeOpenedIsAnErrorThatNamesIt()
    {
        var missing = Path.Combine(Path.GetTempPath(), "rxstages-no-such-file.pcap");
        Assert.Equal(missing, Assert.Throws<InputException>(() => CaptureReader.Open(missing)).InputSource);
        Assert.Throws<InputException>(() => CaptureReader.Open(Path.GetTempPath()));
        Assert.Throws<InputException>(() => CaptureReader.Open(""));
    }

    [Fact]
    public void AReadErrorIsAnErrorThatNamesTheOffset()
    {
        using var reader = new CaptureReader(new FailingStream(TwoThousandPackets()[..100]), "test");
        Assert.True(reader.TryRead(out _));
        Assert.True(reader.TryRead(out _));
        var error = Assert.Throws<InputException>(() => reader.TryRead(out _));
        Assert.Equal("test: offset 100: cannot be read: the disk is gone", error.Message);
    }

    [Fact]
    public void ReadingTakesNoMemoryPerPacket()
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        File.WriteAllBytes(path, TwoThousandPackets());
        try
        {
            Allocation.ExpectNoneIn(() => Read(path));
        }
        finally
        {
            File.Delete(path);
        }

        static long Read(string path)
        {
            using var reader = CaptureReader.Open(path);
            Assert.Equal(CaptureFormat.Pcap, reader.Format);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var packets = 0;
            while (reader.TryRead(out _))
            {
                packets++;
            }
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.Equal((2000, 1.0), (packets, reader.Progress));
            return allocated;
        }
    }

    private static byte[] Compress(byte[] bytes)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest))
        {
            gzip.Write(bytes);
        }
        return compressed.ToArray();
    }

    private class SlowStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;

        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, 7));
    }

    private sealed class FailingStream(byte[] bytes) : SlowStream(bytes)
    {
        public override int Read(byte[] buffer, int offset, int count) =>
            base.Read(buffer, offset, count) is > 0 and var read ? read : throw new IOException("the disk is gone");
    }
}
