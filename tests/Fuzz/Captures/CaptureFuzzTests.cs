using System.IO.Compression;
using RxStages.Bpf.Errors;
using RxStages.Captures;
using RxStages.TestKit;

namespace RxStages.Fuzz.Tests.Captures;

/// <summary>Whatever bytes a capture has: packets, a clean error, or packets and then a clean error.</summary>
public class CaptureFuzzTests
{
    private const int Mutants = 3000;
    private const long MaximumAllocation = 16 << 20;

    [Theory]
    [InlineData("ipv6.pcapng", 6000)]
    [InlineData("edge-cases.pcapng", 6000)]
    [InlineData("vlan.pcap", 2000)]
    public void ABrokenCaptureGivesPacketsOrACleanError(string name, int length)
    {
        var capture = Sample(name, length);
        var errors = 0;
        for (var seed = 0; seed < Mutants; seed++)
        {
            errors += Read(Mutations.Mutate(capture, seed), seed) ? 0 : 1;
        }
        // Else the mutations would not reach what is to be tested.
        Assert.InRange(errors, Mutants / 4, Mutants - 1);
    }

    [Fact]
    public void BrokenCompressionGivesPacketsOrACleanError()
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(Sample("ipv6.pcapng", 6000));
        }
        for (var seed = 0; seed < Mutants / 3; seed++)
        {
            Read(Mutations.Mutate(compressed.ToArray(), seed), seed);
        }
    }

    [Theory]
    [InlineData("ipv6.pcapng", 2000)]
    [InlineData("vlan.pcap", 2000)]
    public void ACaptureCutOffAnywhereGivesPacketsOrACleanError(string name, int length)
    {
        var capture = Sample(name, length);
        for (var cut = 0; cut <= capture.Length; cut++)
        {
            Read(capture[..cut], cut);
        }
    }

    /// <summary>Reads a capture to its end; true when it was whole.</summary>
    private static bool Read(byte[] capture, int seed)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var isWhole = true;
        try
        {
            using var reader = new CaptureReader(new MemoryStream(capture), "fuzz");
            long position = 0;
            while (reader.TryRead(out var packet))
            {
                Assert.True(packet.Data.Length <= packet.OriginalLength, $"seed {seed}");
                Assert.InRange(packet.Interface, 0, reader.Interfaces.Count - 1);
                // Every packet takes bytes of the file, so that reading ends.
                Assert.True(packet.Offset >= position, $"seed {seed}");
                position = packet.Offset + 1;
            }
        }
        catch (InputException error)
        {
            Assert.StartsWith("fuzz: ", error.Message, StringComparison.Ordinal);
            isWhole = false;
        }
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated < MaximumAllocation, $"seed {seed}: {allocated} bytes");
        return isWhole;
    }

    private static byte[] Sample(string name, int length) =>
        File.ReadAllBytes(Repository.PathOf("samples", name))[..length];
}
