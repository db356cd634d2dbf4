using System.Text.Json;

namespace RxStages.Cli.Tests;

/// <summary>Replays of programs that ask a host: routes, sockets, the kernel's types and configuration.</summary>
public sealed class HostTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("rxstages-host-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void WithoutRoutesTheHostForwardsNothing()
    {
        var (summary, maps) = Replay("host_forward");
        Assert.Equal(0, summary.GetProperty("verdicts").GetProperty("XDP_REDIRECT").GetInt64());
        // BPF_FIB_LKUP_RET_FWD_DISABLED is 5.
        Assert.Equal([5, 10], Used(maps["ways"]));
    }

    [Fact]
    public void RoutesOfAFileAreFollowed()
    {
        var routes = Write(
            "host.routes",
            """
            2: eth0: <BROADCAST,UP> mtu 1500 qdisc noqueue state UP
                link/ether 02:00:00:00:00:02 brd ff:ff:ff:ff:ff:ff
                inet 198.51.100.1/24 scope global eth0
            3: eth1: <BROADCAST,UP> mtu 1400 qdisc noqueue state UP
                link/ether 02:00:00:00:00:03 brd ff:ff:ff:ff:ff:ff
                inet 10.0.0.1/8 scope global eth1
            default via 10.0.0.9 dev eth1
            10.0.0.9 dev eth1 lladdr 02:00:00:00:00:99 REACHABLE
            """
        );
        var output = Path.Combine(_folder, "redirected.pcap");
        var (summary, maps) = Replay("host_forward", "--routes", routes, "--ifindex", "2", "--write-redirect", output);
        var redirected = summary.GetProperty("verdicts").GetProperty("XDP_REDIRECT").GetInt64();
        Assert.NotEqual(0, redirected);
        // Found, too large for the way (9), or nothing to look up (10).
        Assert.Equal([0, 9, 10], Used(maps["ways"]));
        Assert.Equal(redirected, maps["ways"][0] - maps["ways"][9]);
        // The first packet's Ethernet addresses, behind the file's and the packet's headers.
        Assert.Equal("020000000099020000000003", Convert.ToHexString(File.ReadAllBytes(output)[40..52]));
    }

    [Fact]
    public void ABrokenLineOfRoutesIsNamed()
    {
        var routes = Write("host.routes", "default via nowhere dev eth1\n");
        var run = Rxstages.Run(
            "replay",
            "samples/echo.pcapng",
            "-p",
            "programs/host.bpf.o:host_forward",
            "--routes",
            routes
        );
        Assert.Equal(1, run.ExitCode);
        Assert.Contains($"{routes}: line 1: ", run.Error);
    }

    [Fact]
    public void OnlyWhatSomebodyListensForComesIn()
    {
        var (_, without) = Replay("host_listens");
        Assert.Equal([0], Used(without["attempts"]));
        var sockets = Write("host.sockets", "tcp LISTEN 0 128 0.0.0.0:443 0.0.0.0:*\n");
        var (summary, with) = Replay("host_listens", "--sockets", sockets);
        Assert.Equal([0, 1], Used(with["attempts"]));
        Assert.Equal(with["attempts"][0], summary.GetProperty("verdicts").GetProperty("XDP_DROP").GetInt64());
        Assert.Equal(without["attempts"][0], with["attempts"].Sum());
    }

    [Theory]
    [InlineData("--btf", "no BTF at all")]
    [InlineData("--kconfig", "CONFIG_X")]
    public void WhatDescribesAKernelIsReadOnlyWhereAnObjectAsksForIt(string option, string content)
    {
        var file = Write("kernel", content);
        var run = Rxstages.Run("verify", "programs/dos_filter.bpf.o", option, file);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
    }

    private string Write(string name, string content)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, content);
        return path;
    }

    /// <summary>Replays the mixed sample; gives the summary and the values of all maps.</summary>
    private (JsonElement Summary, Dictionary<string, long[]> Maps) Replay(string program, params string[] options)
    {
        var dump = Path.Combine(_folder, "maps.json");
        var run = Rxstages.Run([
            "replay",
            "samples/intermixed.pcapng",
            "-p",
            "programs/host.bpf.o:" + program,
            "--json",
            "--dump-maps",
            dump,
            .. options,
        ]);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        return (run.Json[^1].GetProperty("summary"), MapDumps.Counters(dump));
    }

    private static IEnumerable<int> Used(long[] counters) =>
        counters.Index().Where(counter => counter.Item != 0).Select(counter => counter.Index);
}
