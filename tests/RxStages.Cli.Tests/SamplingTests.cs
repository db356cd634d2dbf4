using System.Buffers.Binary;
using System.Text.Json;

namespace RxStages.Cli.Tests;

/// <summary>What programs tell through ring buffers and perf event arrays, and that a replay can be made to repeat exactly.</summary>
public sealed class SamplingTests
{
    private const string Capture = "samples/echo.pcapng";
    private const string Program = "programs/sampler.bpf.o:";

    [Theory]
    [InlineData("sampler", "samples")]
    [InlineData("sampler_perf", "perf_samples")]
    public void EveryEventIsALineAndIsCounted(string program, string map)
    {
        var (events, log) = Replay(program);
        // It tells of packets that have the bytes that it shows.
        var packets = log[..^1].Count(packet => packet.GetProperty("length").GetInt32() >= 20);
        Assert.NotEqual(0, packets);
        Assert.Equal(packets, events.Length);
        Assert.All(events, line => Assert.Equal(map, line.GetProperty("map").GetString()));
        var counts = log[^1]
            .GetProperty("summary")
            .GetProperty("events")
            .EnumerateArray()
            .Single(count => count.GetProperty("map").GetString() == map);
        Assert.Equal(packets, counts.GetProperty("events").GetInt64());
        Assert.Equal(0, counts.GetProperty("lost").GetInt64());
    }

    [Fact]
    public void ThePacketsOwnBytesAreAppendedToAPerfEvent()
    {
        var (perf, _) = Replay("sampler_perf");
        var (ring, _) = Replay("sampler");
        foreach (var (one, other) in perf.Zip(ring))
        {
            // The record ends with the packet's first bytes, behind which the packet begins again.
            var start = Data(other)[28..48];
            Assert.Equal(start, Data(one)[28..48]);
            Assert.Equal(start, Data(one)[48..68]);
        }
    }

    [Fact]
    public void TheClockThatFollowsPacketsShowsEachOnesTimestampWhateverTheVector()
    {
        var times = Times(Replay("sampler", "--time", "packets").Events);
        Assert.Equal(times.Order(), times);
        Assert.True(times.Distinct().Count() > 1);
        Assert.Equal(times, Times(Replay("sampler", "--time", "packets", "--vector", "1").Events));
        Assert.Equal(times, Times(Replay("sampler", "--time", "packets", "--mode", "per-packet").Events));
        Assert.Equal(times, Times(Replay("sampler", "--time", "packets", "--interpreter").Events));
    }

    [Fact]
    public void AClockCanStandStill() =>
        Assert.All(Times(Replay("sampler", "--time", "123456789").Events), time => Assert.Equal(123456789UL, time));

    [Fact]
    public void TheSameSeedMakesTheSameRandomNumbers()
    {
        var first = Randoms(Replay("sampler", "--seed", "7").Events);
        Assert.Equal(first, Randoms(Replay("sampler", "--seed", "7", "--interpreter").Events));
        Assert.NotEqual(first, Randoms(Replay("sampler", "--seed", "8").Events));
    }

    [Fact]
    public void ProgramsRunOnTheCpuThatIsChosen()
    {
        var (events, _) = Replay("sampler_perf", "--cpu", "5");
        Assert.All(events, line => Assert.Equal(5, line.GetProperty("cpu").GetInt32()));
        Assert.All(events, line => Assert.Equal(5U, BinaryPrimitives.ReadUInt32LittleEndian(Data(line).AsSpan(8))));
    }

    [Theory]
    [InlineData("--time", "yesterday", "--time yesterday: it takes real, packets, or a number of nanoseconds")]
    [InlineData("--events", Capture, "the same file is a capture to be replayed")]
    public void WrongUsageIsExplained(string option, string value, string reason)
    {
        var run = Rxstages.Run("replay", Capture, "--program", Program + "sampler", option, value);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(reason, run.Error);
    }

    private static (JsonElement[] Events, JsonElement[] Log) Replay(string program, params string[] options)
    {
        var file = Path.GetTempFileName();
        try
        {
            var run = Rxstages.Run([
                "replay",
                Capture,
                "--program",
                Program + program,
                "--json",
                "--events",
                file,
                .. options,
            ]);
            Assert.Equal((0, ""), (run.ExitCode, run.Error));
            JsonElement[] events = [.. File.ReadLines(file).Select(line => JsonDocument.Parse(line).RootElement)];
            return (events, [.. run.Json]);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static byte[] Data(JsonElement line) => Convert.FromHexString(line.GetProperty("data").GetString()!);

    private static ulong[] Times(JsonElement[] events) =>
        [.. events.Select(line => BinaryPrimitives.ReadUInt64LittleEndian(Data(line)))];

    private static uint[] Randoms(JsonElement[] events) =>
        [.. events.Select(line => BinaryPrimitives.ReadUInt32LittleEndian(Data(line).AsSpan(24)))];
}
