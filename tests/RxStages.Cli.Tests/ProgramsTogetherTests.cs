namespace RxStages.Cli.Tests;

/// <summary>Several programs in one replay: chains, replaced functions, programs on entries of maps; and what is set before they run.</summary>
public sealed class ProgramsTogetherTests : IDisposable
{
    private const string Capture = "samples/intermixed.pcapng";
    private readonly string _folder = Directory.CreateTempSubdirectory("rxstages-together-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void AChainRunsByPriorityWhileVerdictsLetItGoOn()
    {
        // The DoS filter (50) comes before the guard (70): the guard sees what the filter passes.
        var alone = Replay("-p", "programs/dos_filter.bpf.o").Verdicts;
        var (chained, maps) = Replay("-p", "programs/policy.bpf.o:guard", "-p", "programs/dos_filter.bpf.o");
        Assert.Equal(alone, chained);
        Assert.Equal(alone["XDP_PASS"], maps["verdicts"][2]);
    }

    [Fact]
    public void ThePriorityAndTheVerdictsToGoOnAfterCanBeChosen()
    {
        // The guard first, and on after what it passes.
        var (_, first) = Replay([
            "-p",
            "programs/policy.bpf.o:guard",
            "-p",
            "programs/dos_filter.bpf.o",
            "--run-config",
            "guard=10,XDP_PASS",
        ]);
        Assert.Equal(20_000, first["verdicts"].Sum());
        // The filter drops nothing for good any more: the guard, after it, passes all.
        var (verdicts, _) = Replay([
            "-p",
            "programs/policy.bpf.o:guard",
            "-p",
            "programs/dos_filter.bpf.o",
            "--run-config",
            "dos_filter=10,XDP_PASS,XDP_DROP",
        ]);
        Assert.Equal(20_000, verdicts["XDP_PASS"]);
    }

    [Fact]
    public void AFunctionOfAnotherObjectTakesTheReplacedOnesPlace()
    {
        var (before, _) = Replay("-p", "programs/policy.bpf.o:guard");
        Assert.Equal(20_000, before["XDP_PASS"]);
        var (after, maps) = Replay("-p", "programs/policy.bpf.o:guard", "--replace", "programs/policy_udp.bpf.o");
        Assert.NotEqual(0, after["XDP_DROP"]);
        Assert.Equal([after["XDP_DROP"], after["XDP_PASS"]], maps["verdicts"][1..3]);
        Assert.Equal(
            after,
            Replay(
                "-p",
                "programs/policy.bpf.o:guard",
                "--replace",
                "policy=programs/policy_udp.bpf.o:drop_udp"
            ).Verdicts
        );
    }

    [Fact]
    public void APinnedMapLivesOnFromRunToRun()
    {
        var pins = Path.Combine(_folder, "pins");
        string[] options = ["-p", "programs/policy.bpf.o:guard", "--pin", pins];
        Assert.Equal(20_000, Replay(options).Maps["verdicts"][2]);
        Assert.Equal(40_000, Replay(options).Maps["verdicts"][2]);
        Assert.Equal(20_000, Replay("-p", "programs/policy.bpf.o:guard").Maps["verdicts"][2]);
    }

    [Fact]
    public void ProgramsOnEntriesOfADevmapDecideAboutTheirCopies()
    {
        var entries = Path.Combine(_folder, "mirrors.json");
        File.WriteAllText(
            entries,
            """
            [{"key":[0,0,0,0],"value":[8,0,0,0,0,0,0,0],"program":"mirror_egress"},
             {"key":[1,0,0,0],"value":[9,0,0,0,0,0,0,0],"program":"mirror_egress"}]
            """
        );
        var output = Path.Combine(_folder, "redirected.pcap");
        var run = Rxstages.Run([
            "replay",
            Capture,
            "-p",
            "programs/policy.bpf.o:mirror",
            "--map",
            $"mirrors={entries}",
            "--json",
            "--write-redirect",
            output,
        ]);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var fates = run.Json[^1].GetProperty("summary").GetProperty("fates");
        // The programs drop ARP; the rest leaves by both interfaces.
        Assert.NotEqual(0, fates.GetProperty("dropped_at_target").GetInt64());
        Assert.NotEqual(0, fates.GetProperty("redirected").GetInt64());
        Assert.Equal(
            run.Json[^1].GetProperty("summary").GetProperty("packets").GetInt64(),
            fates.GetProperty("dropped_at_target").GetInt64() + fates.GetProperty("redirected").GetInt64()
        );
    }

    [Fact]
    public void ATailCallGoesToAProgramOfAnotherFile()
    {
        // What is behind Ethernet is parsed by the object's own programs, but UDP (index 4) goes to one that redirects.
        var entries = Path.Combine(_folder, "stages.json");
        File.WriteAllText(entries, """[{"key":[4,0,0,0],"program":"programs/policy.bpf.o:mirror"}]""");
        string[] parse = ["-p", "programs/tail_calls.bpf.o:parse_ethernet"];
        Assert.Equal(0, Replay(parse).Verdicts["XDP_REDIRECT"]);
        var (verdicts, _) = Replay([.. parse, "--map", $"stages={entries}"]);
        Assert.NotEqual(0, verdicts["XDP_REDIRECT"]);
        Assert.Equal(verdicts, Replay([.. parse, "--map", $"stages={entries}", "--interpreter"]).Verdicts);
    }

    [Fact]
    public void AVariableIsSetBeforeTheProgramIsVerified()
    {
        var events = Path.Combine(_folder, "events");
        var all = Replay("-p", "programs/sampler.bpf.o:sampler", "--events", events);
        var count = File.ReadLines(events).Count();
        Replay("-p", "programs/sampler.bpf.o:sampler", "--events", events, "--set", "one_in=100");
        Assert.InRange(File.ReadLines(events).Count(), 1, count / 20);
        Assert.Equal(20_000, all.Verdicts["XDP_PASS"]);
    }

    [Fact]
    public void AMapIsMadeInTheSizeThatIsAskedFor()
    {
        var json = Rxstages.Run("inspect", "programs/policy.bpf.o", "--map-size", "verdicts=2", "--json").Json[0];
        var map = json.GetProperty("maps")
            .EnumerateArray()
            .Single(map => map.GetProperty("name").GetString() == "verdicts");
        Assert.Equal(2, map.GetProperty("maxEntries").GetInt32());
        // XDP_PASS is 2: beyond the end.
        Assert.Equal([0, 0], Replay("-p", "programs/policy.bpf.o:guard", "--map-size", "verdicts=2").Maps["verdicts"]);
    }

    [Theory]
    [InlineData(1, "no global variable 'onein' (did you mean 'one_in'?)", "--set", "onein=3")]
    [InlineData(1, "one_in: 'many' is no number", "--set", "one_in=many")]
    [InlineData(2, "--set one_in: it takes NAME=VALUE", "--set", "one_in")]
    [InlineData(1, "no map 'count' to give 5 entries (did you mean 'counts'?)", "--map-size", "count=5")]
    [InlineData(2, "'many' is not a number of entries", "--map-size", "counts=many")]
    [InlineData(2, "it takes NAME=PRIORITY[,VERDICT...]", "--run-config", "sampler")]
    [InlineData(2, "'XDP_MAYBE' is no verdict like XDP_PASS", "--run-config", "sampler=1,XDP_MAYBE")]
    [InlineData(1, "no function that replaces another", "--replace", "programs/vlan.bpf.o")]
    public void WhatDoesNotFitIsExplained(int exitCode, string reason, string option, string value)
    {
        var run = Rxstages.Run("replay", Capture, "-p", "programs/sampler.bpf.o:sampler", option, value);
        Assert.Equal(exitCode, run.ExitCode);
        Assert.Contains(reason, run.Error);
    }

    private (Dictionary<string, long> Verdicts, Dictionary<string, long[]> Maps) Replay(params string[] options)
    {
        var dump = Path.Combine(_folder, "maps.json");
        var run = Rxstages.Run(["replay", Capture, "--time", "packets", "--json", "--dump-maps", dump, .. options]);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var verdicts = run.Json[^1].GetProperty("summary").GetProperty("verdicts");
        return (
            verdicts.EnumerateObject().ToDictionary(verdict => verdict.Name, verdict => verdict.Value.GetInt64()),
            MapDumps.Counters(dump)
        );
    }
}
