using System.Text;
using RxStages.TestKit;

namespace RxStages.Cli.Tests;

public sealed class OtherCommandTests
{
    [Fact]
    public void HelpListsEverySubcommand()
    {
        var run = Rxstages.Run("--help");
        Assert.Equal(0, run.ExitCode);
        foreach (var command in new[] { "replay", "inspect", "disasm", "verify", "features", "bench", "conformance" })
        {
            Assert.Contains($"  {command}", run.Output);
            Assert.Equal(0, Rxstages.Run(command, "--help").ExitCode);
        }
    }

    [Fact]
    public void NoSubcommandIsWrongUsage() => Assert.Equal(2, Rxstages.Run().ExitCode);

    [Fact]
    public void InspectShowsProgramsMapsGlobalDataAndHelpers()
    {
        var run = Rxstages.Run("inspect", "programs/dos_filter.bpf.o");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("license GPL", run.Output);
        Assert.Contains("program dos_filter (section xdp", run.Output);
        Assert.Contains("CPU v3", run.Output);
        Assert.Contains("map_lookup_elem", run.Output);
        Assert.Contains("lpm_trie", run.Output);
        Assert.Contains(".rodata", run.Output);
    }

    [Fact]
    public void InspectAsJsonNamesEveryProgramOfTheFile()
    {
        var json = Assert.Single(Rxstages.Run("inspect", "programs/vlan.bpf.o", "--json").Json);
        Assert.Equal(
            ["vlan_push", "vlan_pop"],
            json.GetProperty("programs").EnumerateArray().Select(program => program.GetProperty("name").GetString())
        );
        Assert.Equal(4, CpuVersionOf("programs/instructions_v4.bpf.o"));
        Assert.Equal(3, CpuVersionOf("programs/dos_filter.bpf.o"));

        static int CpuVersionOf(string file) =>
            Rxstages
                .Run("inspect", file, "--json")
                .Json[0]
                .GetProperty("programs")[0]
                .GetProperty("cpuVersion")
                .GetInt32();
    }

    [Fact]
    public void DisasmPrintsInstructionsUnderTheirSourceLines()
    {
        var run = Rxstages.Run("disasm", "programs/echo_responder.bpf.o");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("echo_responder:", run.Output);
        Assert.Contains("echo_responder.bpf.c:", run.Output);
        Assert.Contains(" exit", run.Output);
    }

    [Fact]
    public void VerifyAcceptsEveryProgramOfTheRepository()
    {
        // One holds nothing but a function that replaces another's.
        var replacement = Repository.PathOf("programs", "policy_udp.bpf.o");
        foreach (var file in Directory.GetFiles(Repository.PathOf("programs"), "*.bpf.o").Except([replacement]))
        {
            var run = Rxstages.Run("verify", file, "--json");
            Assert.Equal((0, ""), (run.ExitCode, run.Error));
            Assert.All(run.Json, result => Assert.True(result.GetProperty("accepted").GetBoolean()));
        }
    }

    [Fact]
    public void VerifySaysWhichFunctionsAreNoProgramsOfTheirOwn()
    {
        var run = Rxstages.Run("verify", "programs/policy_udp.bpf.o");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("no XDP program", run.Error);
        Assert.Contains("(freplace): drop_udp", run.Error);
    }

    [Theory]
    // mov r0, 5; exit
    [InlineData("b7 00 00 00 05 00 00 00 95 00 00 00 00 00 00 00", null, "5")]
    // ldxb r0, [r1 + 1]; exit
    [InlineData("71 10 01 00 00 00 00 00 95 00 00 00 00 00 00 00", "11 22 33", "22")]
    // mov r0, r2; exit: the memory's length
    [InlineData("bf 20 00 00 00 00 00 00 95 00 00 00 00 00 00 00", "112233", "3")]
    // mov r0, r1; exit: no memory, no address
    [InlineData("bf 10 00 00 00 00 00 00 95 00 00 00 00 00 00 00", null, "0")]
    // mov r1, -1; mov r2, 5; callx r2; mov r0, 2; exit: the suite's call by register
    [InlineData(
        "b7 01 00 00 ff ff ff ff b7 02 00 00 05 00 00 00 8d 00 00 00 02 00 00 00 b7 00 00 00 02 00 00 00 95 00 00 00 00 00 00 00",
        null,
        "2"
    )]
    // mov r0, -1; exit
    [InlineData("b7 00 00 00 ff ff ff ff 95 00 00 00 00 00 00 00", "", "ffffffffffffffff")]
    public void ConformancePrintsR0InHexadecimal(string program, string? memory, string expected)
    {
        string[] arguments = memory is null ? ["conformance"] : ["conformance", memory];
        foreach (var options in new string[][] { [], ["--interpreter"] })
        {
            var run = Rxstages.RunWithInput(Encoding.ASCII.GetBytes(program), [.. arguments, .. options]);
            Assert.Equal((0, ""), (run.ExitCode, run.Error));
            Assert.Equal(expected, run.Output.Trim());
        }
    }

    [Fact]
    public void ConformanceIsCalledAsTheRunnerDoes()
    {
        // ldxb r0, [r1 + 1]; exit. The runner parts bytes by spaces and passes "" for options that there are not.
        var program = Encoding.ASCII.GetBytes("71  10  01  00  00  00  00  00  95  00  00  00  00  00  00  00  \n");
        Assert.Equal("22", Rxstages.RunWithInput(program, "conformance", "11  22  ", "").Output.Trim());
        Assert.Equal("22", Rxstages.RunWithInput(program, "conformance", "11  22  ", "--interpreter").Output.Trim());
        Assert.Equal(1, Rxstages.RunWithInput(program, "conformance", "", "").ExitCode);
    }

    [Theory]
    // ldxb r0, [r1 + 3] of three bytes
    [InlineData("71 10 03 00 00 00 00 00 95 00 00 00 00 00 00 00", "112233")]
    // no such opcode
    [InlineData("ff 00 00 00 00 00 00 00 95 00 00 00 00 00 00 00", null)]
    // half an instruction
    [InlineData("b7 00 00 00", null)]
    [InlineData("not hexadecimal", null)]
    [InlineData("", null)]
    public void ConformanceFailsForWhatCannotRun(string program, string? memory)
    {
        string[] arguments = memory is null ? ["conformance"] : ["conformance", memory];
        foreach (var options in new string[][] { [], ["--interpreter"] })
        {
            var run = Rxstages.RunWithInput(Encoding.ASCII.GetBytes(program), [.. arguments, .. options]);
            Assert.Equal(1, run.ExitCode);
            Assert.StartsWith("rxstages: ", run.Error);
            Assert.DoesNotContain("bug", run.Error);
        }
    }

    [Fact]
    public void BenchMeasuresEveryConfiguration()
    {
        var run = Rxstages.Run(
            "bench",
            "programs/dos_filter.bpf.o",
            "--capture",
            "samples/intermixed.pcapng",
            "--packets",
            "256",
            "--rounds",
            "1",
            "--json"
        );
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        var results = run.Json[0].GetProperty("results").EnumerateArray().ToArray();
        Assert.Equal(4 * 6, results.Length);
        Assert.Equal([0, 1, 10, 50], results.Select(result => result.GetProperty("passPercent").GetInt32()).Distinct());
        Assert.All(
            results,
            result => Assert.True(result.GetProperty("xdpNanoseconds").GetProperty("median").GetDouble() >= 0)
        );
    }

    [Fact]
    public void BenchSaysWhenACaptureHasNothingThatPasses()
    {
        var run = Rxstages.Run(
            "bench",
            "programs/vlan.bpf.o:vlan_push",
            "--capture",
            "samples/echo.pcapng",
            "--packets",
            "64",
            "--rounds",
            "1"
        );
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("samples/echo.pcapng", run.Error);
    }
}
