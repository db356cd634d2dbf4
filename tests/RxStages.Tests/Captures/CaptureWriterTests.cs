using System.Text;
using FsCheck;
using FsCheck.Fluent;
using RxStages.Bpf.Errors;
using RxStages.Captures;
using RxStages.TestKit;

namespace RxStages.Tests.Captures;

public class CaptureWriterTests
{
    private static readonly CaptureInterface[] Interfaces =
    [
        new() { Name = "eth0", SnapLength = 262144 },
        new() { Name = "zweite Schnittstelle ü" },
        new(),
    ];

    private static Gen<T?> Perhaps<T>(Gen<T> gen)
        where T : struct => Gen.OneOf(Gen.Constant((T?)null), gen.Select(value => (T?)value));

    private static readonly Gen<ulong> UInt64s = ArbMap.Default.GeneratorFor<ulong>();
    private static readonly Gen<uint> UInt32s = ArbMap.Default.GeneratorFor<uint>();

    private static readonly Gen<RecordedPacket> Packets =
        from length in Gen.OneOf(Gen.Choose(0, 100), Gen.Choose(0, 9000))
        from fill in ArbMap.Default.GeneratorFor<byte>()
        from cut in Gen.Choose(0, 3)
        from captureInterface in Gen.Choose(0, Interfaces.Length - 1)
        from timestamp in UInt64s
        from flags in Perhaps(UInt32s)
        from dropCount in Perhaps(UInt64s)
        from packetId in Perhaps(UInt64s)
        from queue in Perhaps(UInt32s)
        from verdict in Perhaps(UInt64s)
        from comment in Gen.Elements("", "dropped", "a", "vier", "tx_ring_full ✓")
        select new RecordedPacket
        {
            Data = Convert.ToHexString([.. Enumerable.Range(0, length).Select(i => (byte)(i * fill))]),
            OriginalLength = (uint)(length + cut),
            Interface = captureInterface,
            Timestamp = timestamp,
            Flags = flags & ~0x1e0u,
            DropCount = dropCount,
            PacketId = packetId,
            Queue = queue,
            XdpVerdict = verdict,
            Comment = comment,
        };

    private static Config Seeded => Config.QuickThrowOnFailure.WithReplay(20160810, 1).WithMaxTest(100);

    [Fact]
    public void WhatPcapngIsWrittenIsReadAgain() =>
        Prop.ForAll(
                Packets.ListOf().ToArbitrary(),
                packets =>
                {
                    using var reader = new CaptureReader(
                        new MemoryStream(Write(CaptureFormat.Pcapng, packets)),
                        "test"
                    );
                    var read = new List<RecordedPacket>();
                    while (reader.TryRead(out var packet))
                    {
                        read.Add(RecordedPacket.Of(packet));
                    }
                    Assert.Equal(packets, read);
                    Assert.Equal(
                        Interfaces.Select(i => (i.Name, i.SnapLength)),
                        reader.Interfaces.Select(i => (i.Name, i.SnapLength))
                    );
                }
            )
            .Check(Seeded);

    [Fact]
    public void WhatPcapIsWrittenIsReadAgainWithoutInterfacesAndOptions() =>
        Prop.ForAll(
                Packets.ListOf().ToArbitrary(),
                packets =>
                    Assert.Equal(
                        packets.Select(packet => new RecordedPacket
                        {
                            Data = packet.Data,
                            OriginalLength = packet.OriginalLength,
                            Timestamp = packet.Timestamp % (1_000_000_000ul << 32),
                        }),
                        RecordedPacket.ReadAll(Write(CaptureFormat.Pcap, packets))
                    )
            )
            .Check(Seeded);

    [Fact]
    public void TheVerdictIsWrittenAsTheOptionOfLinuxXdp()
    {
        var capture = Write(CaptureFormat.Pcapng, [new RecordedPacket { Data = "00", XdpVerdict = 2 }]);
        Assert.Contains("0700" + "0900" + "02" + "0200000000000000" + "000000", Convert.ToHexString(capture));
    }

    [Fact]
    public void TheNameOfTheFileChoosesTheFormat()
    {
        var folder = Directory.CreateTempSubdirectory("rxstages-");
        try
        {
            foreach (var (name, format) in new[] { ("a.pcap", CaptureFormat.Pcap), ("b.pcapng", CaptureFormat.Pcapng) })
            {
                var path = Path.Combine(folder.FullName, name);
                CaptureWriter.Create(path).Dispose();
                using var reader = CaptureReader.Open(path);
                Assert.Equal(format, reader.Format);
                Assert.False(reader.TryRead(out _));
            }
            Assert.Throws<InputException>(() => CaptureWriter.Create(folder.FullName));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void AFullDiskIsAnErrorThatNamesTheFile()
    {
        var writer = new CaptureWriter(new FullStream(), "out.pcapng", CaptureFormat.Pcapng);
        var error = Assert.Throws<InputException>(writer.Dispose);
        Assert.Equal("out.pcapng: cannot be written: no space left", error.Message);
    }

    [Fact]
    public void WhatAFormatCannotHoldIsRefused()
    {
        using var writer = new CaptureWriter(new MemoryStream(), "test", CaptureFormat.Pcapng);
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Write(new CapturePacket { Interface = 0 }));
        writer.AddInterface(new CaptureInterface());
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Write(new CapturePacket { Interface = 1 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Write(new CapturePacket { Interface = -1 }));
        var half = new byte[(CapturePacket.MaximumLength / 2) + 1];
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Write(new CapturePacket { Data = half }, half));
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.Write(new CapturePacket { Comment = new byte[65536] }));
        writer.Write(new CapturePacket { Data = half.AsSpan(1), Comment = half.AsSpan(0, 65535) }, half.AsSpan(1));
    }

    [Theory]
    [InlineData(CaptureFormat.Pcap)]
    [InlineData(CaptureFormat.Pcapng)]
    public void WritingTakesNoMemoryPerPacket(CaptureFormat format)
    {
        using var writer = new CaptureWriter(Stream.Null, "test", format);
        writer.AddInterface(new CaptureInterface());
        var data = new byte[1514];
        Allocation.ExpectNone(() => Write(2000));

        void Write(int count)
        {
            for (var i = 0; i < count; i++)
            {
                writer.Write(
                    new CapturePacket
                    {
                        Data = data,
                        Timestamp = (ulong)i,
                        XdpVerdict = 1,
                        Queue = 0,
                        Comment = "dropped"u8,
                    }
                );
            }
        }
    }

    /// <summary>Each packet in two parts, as one with fragments is.</summary>
    private static byte[] Write(CaptureFormat format, IEnumerable<RecordedPacket> packets)
    {
        var stream = new MemoryStream();
        using (var writer = new CaptureWriter(stream, "test", format))
        {
            Assert.Equal([0, 1, 2], Interfaces.Select(writer.AddInterface));
            foreach (var packet in packets)
            {
                var data = Convert.FromHexString(packet.Data);
                var linear = data.Length * 2 / 3;
                writer.Write(
                    new CapturePacket
                    {
                        Data = data.AsSpan(0, linear),
                        OriginalLength = packet.OriginalLength,
                        Interface = packet.Interface,
                        Timestamp = packet.Timestamp,
                        Flags = packet.Flags,
                        DropCount = packet.DropCount,
                        PacketId = packet.PacketId,
                        Queue = packet.Queue,
                        XdpVerdict = packet.XdpVerdict,
                        Comment = Encoding.UTF8.GetBytes(packet.Comment),
                    },
                    data.AsSpan(linear)
                );
            }
        }
        return stream.ToArray();
    }

    private sealed class FullStream : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count) => throw new IOException("no space left");
    }
}
