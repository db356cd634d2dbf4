using RxStages.Bpf.Errors;
using RxStages.Captures;
using RxStages.TestKit;
using RxStages.TrafficGenerator;
using RxStages.TrafficGenerator.Traffic;

namespace RxStages.Tests.Traffic;

public class SamplesTests
{
    public static TheoryData<string> Names => [.. Samples.Files.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void EverySampleIsWhatTheGeneratorMakes(string name) =>
        Assert.True(
            File.ReadAllBytes(Repository.PathOf("samples", name)).AsSpan().SequenceEqual(Samples.Files[name]()),
            $"samples/{name} differs: run the generator with --samples samples"
        );

    [Fact]
    public void EveryFileInSamplesIsMadeByTheGenerator()
    {
        var folder = Repository.PathOf("samples");
        var files = Directory
            .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(folder, path).Replace('\\', '/'));
        Assert.Equal([.. Samples.Files.Keys.Append("README.md").Order()], files.Order());
    }

    [Theory]
    [InlineData("intermixed.pcapng", 20_000)]
    [InlineData("ipv6.pcapng", 250)]
    [InlineData("vlan.pcap", 250)]
    [InlineData("echo.pcapng", 250)]
    [InlineData("edge-cases.pcapng", 50)]
    public void EverySampleCanBeReadToItsEnd(string name, int atLeast)
    {
        using var reader = CaptureReader.Open(Repository.PathOf("samples", name));
        var packets = 0;
        while (reader.TryRead(out _))
        {
            packets++;
        }
        Assert.InRange(packets, atLeast, atLeast * 2);
    }

    [Fact]
    public void TheCaptureThatIsCutShortGivesTwoPacketsAndAnError()
    {
        using var reader = CaptureReader.Open(Repository.PathOf("samples", "cut-short.pcap"));
        Assert.True(reader.TryRead(out _));
        Assert.True(reader.TryRead(out _));
        var error = Assert.Throws<InputException>(() => reader.TryRead(out _));
        Assert.Contains("packet 2 at offset", error.Message);
    }

    [Fact]
    public void AnotherSeedMakesOtherTraffic() =>
        Assert.NotEqual(
            IntermixedTraffic.Generate(1, 100).Select(frame => Convert.ToHexString(frame.Bytes)),
            IntermixedTraffic.Generate(2, 100).Select(frame => Convert.ToHexString(frame.Bytes))
        );

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(777)]
    public void AsManyPacketsAreMadeAsAreAskedFor(int packets) =>
        Assert.Equal(packets, IntermixedTraffic.Generate(1, packets).Count);

    [Fact]
    public void SixInTenPacketsAreOfTheAttackAndTheyAreMixedWithTheOthers()
    {
        var frames = IntermixedTraffic.Generate(Samples.IntermixedSeed, Samples.IntermixedPackets);
        Assert.Equal(frames.OrderBy(frame => frame.Time), frames);
        Assert.All(frames, frame => Assert.InRange(frame.Bytes.Length, 14, 1522));
        var isGood = frames.Select(frame => IsGood(Convert.ToHexString(Headers(frame.Bytes)))).ToArray();
        Assert.InRange(isGood.Count(good => good), 7_900, 8_100);
        // A run of one kind is as long as chance makes it: by turns of 6 to 4 some dozens of packets, never hundreds.
        var (run, longest) = (1, 1);
        for (var i = 1; i < isGood.Length; i++)
        {
            run = isGood[i] == isGood[i - 1] ? run + 1 : 1;
            longest = Math.Max(longest, run);
        }
        Assert.InRange(longest, 2, 60);
    }

    /// <summary>Ethernet with two tags, and the addresses of IPv6.</summary>
    private static ReadOnlySpan<byte> Headers(byte[] frame) => frame.AsSpan(0, Math.Min(14 + 8 + 40, frame.Length));

    /// <summary>Good traffic is to or from clients (198.18.0.0/15, 2001:db8:c…) or between the router and the servers.</summary>
    private static bool IsGood(string frame)
    {
        var network = frame[24..];
        var isArp = network.Contains("08060001", StringComparison.Ordinal);
        var isRouter = network.Contains("20010DB8000100000000000000000001", StringComparison.Ordinal);
        return isArp
            || isRouter
            || HasAddress(network, "0800", 4, 24, "C612", "C613")
            || HasAddress(network, "86DD", 4, 16, "20010DB8C");
    }

    private static bool HasAddress(string network, string etherType, int header, int offset, params string[] prefixes)
    {
        // The EtherType is behind at most two tags.
        for (var at = 0; at <= 16 && at + header <= network.Length; at += 8)
        {
            if (!network.AsSpan(at).StartsWith(etherType))
            {
                continue;
            }
            var addressLength = etherType == "0800" ? 8 : 32;
            return new[] { at + header + offset, at + header + offset + addressLength }.Any(start =>
                start < network.Length
                && prefixes.Any(prefix => network.AsSpan(start).StartsWith(prefix, StringComparison.Ordinal))
            );
        }
        return false;
    }
}
