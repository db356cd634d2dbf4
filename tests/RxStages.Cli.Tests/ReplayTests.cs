using System.Text.Json;
using RxStages.Captures;
using RxStages.TestKit;

namespace RxStages.Cli.Tests;

public sealed class ReplayTests : IDisposable
{
    private const string Sample = "samples/intermixed.pcapng";
    private const string Filter = "programs/dos_filter.bpf.o";
    private readonly string _folder = Directory.CreateTempSubdirectory("rxstages").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void TheMainJobPrintsVerdictsFatesAndStages()
    {
        var run = Rxstages.Run("replay", Sample, "--program", Filter);
        Assert.Equal("", run.Error);
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("dos_filter: 20,000 packets", run.Output);
        Assert.Contains("XDP_PASS", run.Output);
        Assert.Contains("dropped", run.Output);
        Assert.Contains("network stack", run.Output);
    }

    [Fact]
    public void JsonHasALinePerPacketInOrderAndThenASummaryThatAddsUp()
    {
        var run = Rxstages.Run("replay", Sample, "--program", Filter, "--json");
        Assert.Equal(0, run.ExitCode);
        var lines = run.Json;
        Assert.Equal(20_001, lines.Length);
        for (var i = 0; i < lines.Length - 1; i++)
        {
            Assert.Equal(i, lines[i].GetProperty("packet").GetInt32());
        }
        var summary = lines[^1].GetProperty("summary");
        Assert.Equal(20_000, summary.GetProperty("packets").GetInt32());
        var fates = summary.GetProperty("fates").EnumerateObject().ToDictionary(fate => fate.Name, Number);
        Assert.Equal(20_000, fates.Values.Sum());
        foreach (var (fate, count) in fates)
        {
            Assert.Equal(count, lines[..^1].Count(line => line.GetProperty("fate").GetString() == fate));
        }
        Assert.Equal(
            summary.GetProperty("verdicts").GetProperty("XDP_DROP").GetInt32(),
            lines[..^1].Count(line => line.GetProperty("return").GetInt32() == 1)
        );
    }

    [Theory]
    [InlineData("programs/vlan.bpf.o:vlan_push")]
    [InlineData("programs/echo_responder.bpf.o")]
    [InlineData("programs/tail_calls.bpf.o:parse_ethernet")]
    [InlineData("programs/large.bpf.o")]
    public void EveryWayOfRunningGivesTheSameBytes(string program)
    {
        string[] captures = ["samples/echo.pcapng", "samples/vlan.pcap", "samples/edge-cases.pcapng"];
        var expected = Packets("--interpreter");
        Assert.NotEmpty(expected);
        Assert.Equal(expected, Packets("--vector", "1"));
        Assert.Equal(expected, Packets("--vector", "16"));
        Assert.Equal(expected, Packets("--mode", "per-packet"));

        string[] Packets(params string[] options)
        {
            var run = Rxstages.Run(["replay", .. captures, "--program", program, "--json", "--data", .. options]);
            Assert.Equal((0, ""), (run.ExitCode, run.Error));
            return run.Lines[..^1];
        }
    }

    [Fact]
    public void APacketsLineHasTheDocumentedForm()
    {
        var run = Rxstages.Run(
            "replay",
            "samples/echo.pcapng",
            "-p",
            "programs/vlan.bpf.o:vlan_push",
            "--json",
            "--data"
        );
        var packet = run.Json[0];
        Assert.Equal(
            ["packet", "length", "return", "verdict", "fate", "outLength", "data"],
            packet.EnumerateObject().Select(property => property.Name)
        );
        Assert.Equal("XDP_TX", packet.GetProperty("verdict").GetString());
        Assert.Equal("transmitted", packet.GetProperty("fate").GetString());
        // A tag of four bytes was pushed behind the addresses.
        Assert.Equal(packet.GetProperty("length").GetInt32() + 4, packet.GetProperty("outLength").GetInt32());
        Assert.Equal("8100", packet.GetProperty("data").GetString()!.Substring(24, 4));
    }

    [Fact]
    public void TheAnnotatedCaptureHasEveryPacketWithItsVerdictAndFate()
    {
        var all = Path.Combine(_folder, "all.pcapng");
        var run = Rxstages.Run("replay", Sample, "--program", Filter, "--json", "--write", all);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var lines = run.Json;
        using var reader = CaptureReader.Open(all);
        var count = 0;
        while (reader.TryRead(out var packet))
        {
            Assert.Equal(lines[count].GetProperty("return").GetUInt64(), packet.XdpVerdict);
            Assert.Equal(
                lines[count].GetProperty("fate").GetString(),
                System.Text.Encoding.UTF8.GetString(packet.Comment)
            );
            Assert.Equal(lines[count].GetProperty("outLength").GetInt32(), packet.Data.Length);
            count++;
        }
        Assert.Equal(20_000, count);
    }

    [Fact]
    public void OutputsSplitTheTrafficByVerdict()
    {
        string Out(string name) => Path.Combine(_folder, name);
        var run = Rxstages.Run(
            "replay",
            Sample,
            "--program",
            Filter,
            "--json",
            "--write-pass",
            Out("pass.pcapng"),
            "--write-drop",
            Out("drop.pcap"),
            "--write-tx",
            Out("tx.pcapng"),
            "--write-redirect",
            Out("redirect.pcapng")
        );
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var verdicts = run.Json[^1].GetProperty("summary").GetProperty("verdicts");
        Assert.Equal(verdicts.GetProperty("XDP_PASS").GetInt32(), Count(Out("pass.pcapng")));
        Assert.Equal(verdicts.GetProperty("XDP_DROP").GetInt32(), Count(Out("drop.pcap")));
        Assert.Equal(0, Count(Out("tx.pcapng")));
        Assert.Equal(0, Count(Out("redirect.pcapng")));
    }

    [Fact]
    public void MapsAreFilledBeforeTheRunAndADumpCanBeReadBack()
    {
        var first = Path.Combine(_folder, "first.json");
        var second = Path.Combine(_folder, "second.json");
        string[] common = ["replay", "samples/vlan.pcap", "--program", Filter];
        Assert.Equal(
            0,
            Rxstages.Run([.. common, "--map", "blocked_v4=samples/maps/blocked_v4.json", "--dump-maps", first]).ExitCode
        );
        var blocked = Entries(first, "blocked_v4");
        Assert.NotEqual(0, blocked.GetArrayLength());
        Assert.True(blocked[0].TryGetProperty("formatted", out _));
        Assert.Equal(Environment.ProcessorCount, Entries(first, "counters")[0].GetProperty("values").GetArrayLength());
        Assert.Equal(0, Rxstages.Run([.. common, "--map", $"blocked_v4={first}", "--dump-maps", second]).ExitCode);
        Assert.Equal(
            blocked.EnumerateArray().Select(Key).Order(),
            Entries(second, "blocked_v4").EnumerateArray().Select(Key).Order()
        );

        static string Key(JsonElement entry) => entry.GetProperty("key").GetRawText();
    }

    [Fact]
    public void RepeatingGoesOnCountingPackets()
    {
        var run = Rxstages.Run(
            "replay",
            "samples/echo.pcapng",
            "--program",
            "programs/echo_responder.bpf.o",
            "--repeat",
            "3",
            "--json"
        );
        var single = Count(Repository.PathOf("samples", "echo.pcapng"));
        Assert.Equal(3 * single + 1, run.Lines.Length);
        Assert.Equal(3 * single - 1, run.Json[^2].GetProperty("packet").GetInt32());
    }

    [Fact]
    public void ACaptureComesThroughAPipe()
    {
        var capture = File.ReadAllBytes(Repository.PathOf("samples", "echo.pcapng"));
        var run = Rxstages.RunWithInput(capture, "replay", "-", "-p", "programs/echo_responder.bpf.o", "--json");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal(Count(Repository.PathOf("samples", "echo.pcapng")) + 1, run.Lines.Length);
    }

    [Fact]
    public void ACaptureThatIsCutShortGivesThePacketsBeforeAndAnError()
    {
        var run = Rxstages.Run("replay", "samples/cut-short.pcap", "-p", "programs/echo_responder.bpf.o", "--json");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("samples/cut-short.pcap", run.Error);
        Assert.Contains("offset", run.Error);
        Assert.Equal(3, run.Lines.Length);
    }

    [Theory]
    [InlineData("no-such.pcap", "programs/echo_responder.bpf.o", "no-such.pcap")]
    [InlineData("samples/echo.pcapng", "no-such.o", "no-such.o")]
    [InlineData("samples/README.md", "programs/echo_responder.bpf.o", "samples/README.md")]
    [InlineData("samples/echo.pcapng", "samples/README.md", "samples/README.md")]
    [InlineData("samples/echo.pcapng", "programs/vlan.bpf.o", "vlan_push")]
    [InlineData("samples/echo.pcapng", "programs/vlan.bpf.o:vlan_puhs", "vlan_pop")]
    public void BrokenInputEndsWithOneLineThatNamesIt(string capture, string program, string named)
    {
        var run = Rxstages.Run("replay", capture, "--program", program);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains(named, run.Error);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void AnOutputThatIsAnInputOrAnotherOutputIsRefusedBeforeItIsTouched()
    {
        var capture = Path.Combine(_folder, "capture.pcapng");
        var link = Path.Combine(_folder, "link.pcapng");
        File.Copy(Repository.PathOf("samples", "echo.pcapng"), capture);
        File.CreateSymbolicLink(link, capture);
        var before = File.ReadAllBytes(capture);
        var other = Path.Combine(_folder, "other.pcapng");
        string[][] wrong =
        [
            ["--write", capture],
            ["--write-tx", link],
            ["--dump-maps", capture],
            ["--write", other, "--write-pass", other],
        ];
        foreach (var options in wrong)
        {
            var run = Rxstages.Run(["replay", capture, "-p", "programs/echo_responder.bpf.o", .. options]);
            Assert.Equal(2, run.ExitCode);
            Assert.Contains("the same file", run.Error);
            Assert.Equal(before, File.ReadAllBytes(capture));
        }
        Assert.False(File.Exists(other));
    }

    [Fact]
    public void PacketsGoToTheStandardOutputAloneWhenAskedFor()
    {
        var run = Rxstages.Run("replay", "samples/echo.pcapng", "-p", "programs/echo_responder.bpf.o", "--write", "-");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("XDP_TX", run.Error);
        var file = Path.Combine(_folder, "out.pcapng");
        File.WriteAllBytes(file, run.OutputBytes);
        Assert.Equal(Count(Repository.PathOf("samples", "echo.pcapng")), Count(file));
    }

    [Fact]
    public void AReaderThatGoesAwayEndsALongReplayQuietly()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("pipes of Windows tell in other ways");
        }
        var run = Rxstages.RunInShell(
            "$RXSTAGES replay samples/echo.pcapng -p programs/echo_responder.bpf.o --repeat 2000000000 --json | head -n 1"
        );
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Single(run.Lines);
    }

    [Fact]
    public void AnInterruptedReplayReportsWhatItHas()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("signals are for Unix");
        }
        var run = Rxstages.RunInShell(
            "$RXSTAGES replay samples/echo.pcapng -p programs/echo_responder.bpf.o --repeat 2000000000 & "
                + "sleep 2; kill -TERM $!; wait $!"
        );
        Assert.Equal(143, run.ExitCode);
        Assert.Contains("XDP_TX", run.Output);
        Assert.Contains("interrupted", run.Error);
    }

    [Theory]
    [InlineData("replay", "there is no option '--vektor' (did you mean '--vector'?)", "--vektor", "3")]
    [InlineData("rplay", "there is no command 'rplay' (did you mean 'replay'?)")]
    [InlineData("replay", "--mode stagd: it takes staged or per-packet (did you mean 'staged'?)", "--mode", "stagd")]
    [InlineData("replay", "--vector -3: it takes a whole number from 1 to 64", "--vector", "-3")]
    public void WrongUsageIsOneLineThatSaysWhatWasMeant(string command, string expected, params string[] options)
    {
        var run = Rxstages.Run([command, "samples/echo.pcapng", "-p", "programs/vlan.bpf.o", .. options]);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(expected, run.Error);
        Assert.Single(run.Error.TrimEnd().Split('\n'));
    }

    [Theory]
    [InlineData("--vector", "0")]
    [InlineData("--vector", "65")]
    [InlineData("--vector", "many")]
    [InlineData("--mode", "fast")]
    [InlineData("--data")]
    [InlineData("--no-such-option")]
    [InlineData("--map", "counters")]
    public void WrongUsageExitsWithTwo(params string[] options)
    {
        var run = Rxstages.Run(["replay", "samples/echo.pcapng", "-p", "programs/echo_responder.bpf.o", .. options]);
        Assert.Equal(2, run.ExitCode);
        Assert.NotEqual("", run.Error);
        Assert.Equal("", run.Output);
    }

    [Fact]
    public void AMapFileWithoutEndIsRefused()
    {
        Assert.SkipUnless(File.Exists("/dev/zero"), "there is no /dev/zero here");
        var run = Rxstages.Run("replay", "samples/echo.pcapng", "-p", Filter, "--map", "blocked_v4=/dev/zero");
        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith("rxstages: /dev/zero: ", run.Error);
    }

    [Fact]
    public void ADumpThatCannotBeWrittenIsRefusedBeforeTheRun()
    {
        var run = Rxstages.Run("replay", "samples/echo.pcapng", "-p", Filter, "--dump-maps", _folder);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains(_folder, run.Error);
        Assert.Equal("", run.Output);
    }

    [Fact]
    public void AMapThatDoesNotExistIsNamedWithThoseThatDo()
    {
        var run = Rxstages.Run(
            "replay",
            "samples/echo.pcapng",
            "-p",
            Filter,
            "--map",
            "blocked=samples/maps/blocked_v4.json"
        );
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("blocked_v4", run.Error);
    }

    [Fact]
    public void TraceLinesGoToTheStandardErrorWhenAskedFor()
    {
        string[] common = ["replay", "samples/echo.pcapng", "-p", "programs/helpers_probe.bpf.o:probe_print"];
        Assert.Equal("", Rxstages.Run(common).Error);
        Assert.Contains("trace: ", Rxstages.Run([.. common, "--trace"]).Error);
    }

    private static int Number(JsonProperty property) => property.Value.GetInt32();

    private static JsonElement Entries(string path, string map) =>
        JsonDocument
            .Parse(File.ReadAllText(path))
            .RootElement.GetProperty("maps")
            .EnumerateArray()
            .Single(each => each.GetProperty("name").GetString() == map)
            .GetProperty("entries");

    private static int Count(string path)
    {
        using var reader = CaptureReader.Open(path);
        var count = 0;
        while (reader.TryRead(out _))
        {
            count++;
        }
        return count;
    }
}
