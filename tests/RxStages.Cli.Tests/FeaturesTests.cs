using RxStages.TestKit;

namespace RxStages.Cli.Tests;

public sealed class FeaturesTests
{
    [Fact]
    public void AllHelpersAndMapTypesAreListedOnALineEach()
    {
        var run = Rxstages.Run("features");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("    1  bpf_map_lookup_elem ", run.Output);
        Assert.Contains("    1  BPF_MAP_TYPE_HASH ", run.Output);
    }

    [Fact]
    public void ANameTellsAllOfWhatContainsIt()
    {
        var run = Rxstages.Run("features", "redirect_map");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("bpf_redirect_map (51)", run.Output);
        Assert.Contains("takes          const_map_pointer, anything, anything", run.Output);
        Assert.Contains("kernel source  net/core/filter.c", run.Output);
        Assert.DoesNotContain("map_lookup", run.Output);
    }

    [Fact]
    public void WhatIsRefusedIsListedWithTheReason()
    {
        var run = Rxstages.Run("features", "snprintf_btf");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("bpf_snprintf_btf (149)", run.Output);
        Assert.Contains("refused        Structures of the kernel are not printed.", run.Output);
        var json = Assert.Single(Rxstages.Run("features", "--json").Json);
        Assert.Contains(
            149,
            json.GetProperty("refusedHelpers")
                .EnumerateArray()
                .Select(helper => helper.GetProperty("number").GetInt32())
        );
    }

    [Fact]
    public void ANameThatNothingHasFails()
    {
        var run = Rxstages.Run("features", "bpf_map_lokup_elem");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("did you mean 'bpf_map_lookup_elem'", run.Error);
    }

    [Fact]
    public void JsonHasAnArrayForEachKind()
    {
        var json = Assert.Single(Rxstages.Run("features", "--json").Json);
        var lookup = json.GetProperty("helpers")
            .EnumerateArray()
            .First(helper => helper.GetProperty("name").GetString() == "bpf_map_lookup_elem");
        Assert.Equal(1, lookup.GetProperty("number").GetInt32());
        Assert.Equal(
            ["const_map_pointer", "map_key"],
            lookup.GetProperty("arguments").EnumerateArray().Select(argument => argument.GetString())
        );
        var devmap = json.GetProperty("maps")
            .EnumerateArray()
            .First(type => type.GetProperty("name").GetString() == "BPF_MAP_TYPE_DEVMAP");
        Assert.Contains(
            "bpf_redirect_map",
            devmap.GetProperty("helpers").EnumerateArray().Select(helper => helper.GetString())
        );
        Assert.Equal(System.Text.Json.JsonValueKind.Array, json.GetProperty("kfuncs").ValueKind);
    }

    [Fact]
    public void TheDocumentationHasTheTableAsItIs()
    {
        var run = Rxstages.Run("features", "--markdown");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Equal(File.ReadAllText(Repository.PathOf("docs/features.md")), run.Output);
    }
}
