using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;
using RxStages.Bpf.Tests.Objects;
using static RxStages.Bpf.Tests.Maps.MapBench;

namespace RxStages.Bpf.Tests.Maps;

/// <summary>Maps as JSON, out (<see cref="MapDump"/>) and in (<see cref="MapContents"/>).</summary>
public class MapContentsTests
{
    // As bpftool wrote the same maps with the same contents on Linux 6.18.
    [Theory]
    [InlineData(
        MapType.Hash,
        6u,
        """[{"key":["0x01","0x00","0x00","0x00"],"value":["0x01","0x02","0x03","0x04","0x05","0xff"]}]"""
    )]
    [InlineData(
        MapType.PercpuHash,
        4u,
        """[{"key":["0x01","0x00","0x00","0x00"],"values":[{"cpu":0,"value":["0x01","0x02","0x03","0x04"]},{"cpu":1,"value":["0x05","0x02","0x03","0x04"]}]}]"""
    )]
    [InlineData(
        MapType.Devmap,
        4u,
        """[{"key":["0x00","0x00","0x00","0x00"],"value":{"error":"No such file or directory"}},{"key":["0x01","0x00","0x00","0x00"],"value":["0x01","0x00","0x00","0x00"]}]"""
    )]
    [InlineData(
        MapType.Xskmap,
        4u,
        """[{"key":["0x00","0x00","0x00","0x00"],"value":{"error":"Operation not supported"}},{"key":["0x01","0x00","0x00","0x00"],"value":{"error":"Operation not supported"}}]"""
    )]
    [InlineData(MapType.LruHash, 4u, "[]")]
    public void EntriesHaveTheFormOfBpftool(MapType type, uint valueSize, string json)
    {
        using var bench = new MapBench(type, 4, valueSize, 2);
        Read(bench, json);
        Assert.Equal(json, Dump(bench));
    }

    [Theory]
    [InlineData(MapType.Queue)]
    [InlineData(MapType.Stack)]
    public void QueuesAndStacksAreListsOfValues(MapType type)
    {
        const string Json = """[{"value":["0x01","0x00"]},{"value":["0x02","0x00"]}]""";
        using var bench = new MapBench(type, 0, 2, 2);
        Read(bench, Json);
        Assert.Equal(Json, Dump(bench));
        var value = new byte[2];
        Assert.Equal(0, bench.Map.LookupAndDelete([], value));
        Assert.Equal(type == MapType.Queue ? 1 : 2, value[0]);
        Read(bench, """[{"value":3}]""");
        Assert.Contains("2 entries", ErrorOf(bench, """[{"value":4}]"""), StringComparison.Ordinal);
    }

    [Fact]
    public void ABloomFilterTakesValuesAndCannotBeListed()
    {
        using var bench = new MapBench(MapType.BloomFilter, 0, 4, 100);
        Read(bench, """[{"value":7},{"value":9}]""");
        Assert.Equal(0, bench.Map.Lookup([], U32(9)));
        Assert.Equal("[]", Dump(bench));
    }

    [Theory]
    [InlineData(MapType.ArrayOfMaps)]
    [InlineData(MapType.HashOfMaps)]
    public void MapsOfMapsHoldMapsByNameOrMapsOfTheirOwn(MapType type)
    {
        var template = Spec(MapType.Hash, 4, 4, 2) with { Name = "inner" };
        using var bench = new MapBench(Spec(type, 4, 4, 4) with { Inner = template });
        using var other = MapFactory.Create(template with { Name = "other" });
        other.Update(U32(5), U32(6), UpdateFlags.Any);
        MapContents.Read(
            bench.Map,
            """[{"key":1,"map":"other"},{"entries":[{"key":2,"value":3}],"key":2}]"""u8,
            "test",
            _ => null,
            name => name == "other" ? other : null
        );
        var outer = (IMapOfMaps)bench.Map;
        Assert.Same(other, outer.GetMap(U32(1)));
        var dump = JsonNode.Parse(Dump(bench))!.AsArray();
        Assert.Equal(["other", "inner"], dump.Select(entry => (string)entry!["map"]!));
        Assert.Equal("0x06", (string)dump[0]!["entries"]![0]!["value"]![0]!);
        Assert.Equal("0x03", (string)dump[1]!["entries"]![0]!["value"]![0]!);
        // What was written can be read again.
        using var again = new MapBench(bench.Map.Spec);
        Read(again, dump.ToJsonString());
        Assert.Equal(
            dump.Select(entry => entry!["entries"]!.ToJsonString()),
            JsonNode.Parse(Dump(again))!.AsArray().Select(entry => entry!["entries"]!.ToJsonString())
        );
        Assert.Contains("neither", ErrorOf(bench, """[{"key":1}]"""), StringComparison.Ordinal);
        Assert.Contains("neither", ErrorOf(bench, """[{"key":1,"map":"unknown"}]"""), StringComparison.Ordinal);
        Assert.Contains("entry 0: entry 0", ErrorOf(bench, """[{"key":1,"entries":[1]}]"""), StringComparison.Ordinal);
    }

    [Fact]
    public unsafe void UnreadRecordsAreDumpedOnce()
    {
        using var ring = new MapBench(MapType.Ringbuf, 0, 0, 4096);
        ulong data = 0x0201;
        RingbufOperations.Output((RingbufHeader*)ring.Map.Header, (byte*)&data, 2, 0);
        Assert.Equal("""[{"value":["0x01","0x02"]}]""", Dump(ring));
        Assert.Equal("[]", Dump(ring));
    }

    [Theory]
    [InlineData("types.clang-14")]
    [InlineData("types.clang-19")]
    public void TypedEntriesAreFormattedAsByBpftool(string compiled)
    {
        var spec = TestObjects.Read(compiled);
        foreach (var (name, dump) in new[] { ("entries", "entries"), (".data", "types_data"), (".bss", "types_bss") })
        {
            var path = Path.ChangeExtension(TestObjects.PathOf(compiled), $".{dump}.json");
            using var bench = new MapBench(spec.Maps.Single(map => map.Name == name));
            Read(bench, File.ReadAllText(path));
            Assert.Equal(Normalize(File.ReadAllText(path)), Normalize(Dump(bench, spec.Btf)));
        }
    }

    [Fact]
    public void PerCpuValuesAreFormattedPerCpu()
    {
        var spec = TestObjects.Read("types.clang-14");
        var letters = spec.Maps.Single(map => map.Name == "letters") with { Type = MapType.PercpuArray };
        using var bench = new MapBench(letters);
        Read(bench, """[{"key":0,"value":[97,10,0,0]}]""");
        Assert.EndsWith(
            """
            "formatted":{"key":0,"values":[{"cpu":0,"value":[97,10,0,0]},{"cpu":1,"value":[97,10,0,0]}]}}]
            """,
            Dump(bench, spec.Btf),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void AllMapsGoInOneDocumentAndComeBackByName()
    {
        using var first = new MapBench(MapBench.Spec(MapType.Hash, 4, 4, 4) with { Name = "first" });
        using var second = new MapBench(
            MapBench.Spec(MapType.LpmTrie, 8, 4, 4, MapFlags.NoPrealloc) with
            {
                Name = "second",
            }
        );
        first.Map.Update(U32(1), U32(2), UpdateFlags.Any);
        second.Map.Update([8, 0, 0, 0, 10, 0, 0, 0], U32(3), UpdateFlags.Any);
        var json = Write(writer => MapDump.Write(writer, [(first.Map, null), (second.Map, null)]));
        Assert.StartsWith("""{"maps":[{"name":"first","type":"hash","entries":[{""", json, StringComparison.Ordinal);
        Assert.Contains("""{"name":"second","type":"lpm_trie","entries":[""", json, StringComparison.Ordinal);
        using var again = new MapBench(second.Map.Spec);
        Assert.Equal(1, Read(again, json));
        Assert.Equal(Dump(second), Dump(again));
    }

    [Theory]
    [InlineData("""[{"key":[1,0,0,0],"value":["0x0A",0,0,0]}]""")]
    [InlineData("""[{"key":1,"value":"0x0a"}]""")]
    [InlineData("""{"entries":[{"key":"0x1","value":10,"formatted":{"x":[]}}]}""")]
    [InlineData(
        """{"id":3,"maps":[{"entries":[{"key":5,"value":5}],"name":"other"},{"entries":[{"key":1,"value":10}],"name":"m"}]}"""
    )]
    [InlineData("\uFEFF [{\"value\":10,\"key\":1}] ")]
    public void WhatPeopleWriteByHandIsUnderstood(string json)
    {
        using var bench = new MapBench(MapType.Hash, 4, 4, 4);
        Assert.Equal(1, Read(bench, json));
        Assert.Equal([U32(1)], bench.Keys());
        Assert.Equal(U32(10), bench.Lookup(U32(1)));
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData(" ", "does not contain any JSON")]
    [InlineData("[", "Expected depth to be zero")]
    [InlineData("[] 1", "invalid after a single JSON value")]
    [InlineData("""[{"key":1,"value":"\ud800"}]""", "Cannot read incomplete UTF-16")]
    [InlineData("5", "neither an array of entries nor an object")]
    [InlineData("{}", "neither entries nor a map m")]
    [InlineData("""{"maps":[{"name":"n","entries":[]}]}""", "neither entries nor a map m")]
    [InlineData("""{"maps":[7]}""", "maps must be objects")]
    [InlineData("""{"entries":7}""", "entries is not an array")]
    [InlineData("[1]", "entry 0: is not an object")]
    [InlineData("""[{"value":1}]""", "entry 0: has no key")]
    [InlineData("""[{"key":1}]""", "entry 0: has no value")]
    [InlineData("""[{"key":1,"value":1},{"key":[1,2,3],"value":1}]""", "entry 1: key has 3 bytes, the map's has 4")]
    [InlineData("""[{"key":1,"value":[1,2,3,256]}]""", "value: byte 3 is not a number from 0 to 255")]
    [InlineData("""[{"key":1,"value":["1",0,0,0]}]""", "value: byte 0 is not a number from 0 to 255")]
    [InlineData("""[{"key":1,"value":4294967296}]""", "a number that fits 4 bytes")]
    [InlineData("""[{"key":1,"value":-1}]""", "a number that fits 4 bytes")]
    [InlineData("""[{"key":1,"values":[]}]""", "the map is not per CPU")]
    [InlineData("""[{"key":1,"program":"p"}]""", "has a program, but the map is a hash")]
    [InlineData("""[{"key":1,"value":1,"valeu":1}]""", "unknown member \"valeu\"")]
    [InlineData(
        """[{"key":1,"value":1},{"key":2,"value":1},{"key":3,"value":1}]""",
        "entry 2: does not fit: the map has 2 entries"
    )]
    public void ErrorsNameTheFileThePlaceAndTheReason(string json, string reason)
    {
        using var bench = new MapBench(MapType.Hash, 4, 4, 2);
        var error = Assert.Throws<InputException>(() => Read(bench, json));
        Assert.StartsWith("contents.json: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""[{"key":0,"values":[{"cpu":2,"value":1}]}]""", "CPU 2, but there are 2 CPUs")]
    [InlineData("""[{"key":0,"values":[{"cpu":-1,"value":1}]}]""", "CPU -1, but there are 2 CPUs")]
    [InlineData("""[{"key":0,"values":[{"value":1}]}]""", "objects with a cpu and a value")]
    [InlineData("""[{"key":0,"values":{"cpu":1}}]""", "values is not an array")]
    [InlineData("""[{"key":9,"value":1}]""", "does not fit")]
    public void PerCpuErrorsSayWhatIsWrong(string json, string reason)
    {
        using var bench = new MapBench(MapType.PercpuArray, 4, 4, 2);
        Assert.Contains(
            reason,
            Assert.Throws<InputException>(() => Read(bench, json)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void EntriesOfProgArraysNameTheirProgram()
    {
        using var bench = new MapBench(MapType.ProgArray, 4, 4, 4);
        using var program = new EmptyProgram("parse_ipv4");
        MapContents.Read(
            bench.Map,
            """[{"key":2,"program":"parse_ipv4"}]"""u8,
            "contents.json",
            name => name == "parse_ipv4" ? program : null
        );
        Assert.Same(program, ((ProgramArrayMap)bench.Map).GetProgram(2));
        Assert.Equal(
            """[{"key":["0x02","0x00","0x00","0x00"],"value":["0x01","0x00","0x00","0x00"],"program":"parse_ipv4"}]""",
            Dump(bench)
        );
        Assert.Contains(
            "there is no program \"parse_ipv6\"",
            Assert.Throws<InputException>(() => Read(bench, """[{"key":2,"program":"parse_ipv6"}]""")).Message,
            StringComparison.Ordinal
        );
        Assert.Throws<InputException>(() => Read(bench, """[{"key":4,"program":"parse_ipv6"}]"""));
        Assert.Throws<InputException>(() => Read(bench, """[{"key":2,"value":[1,0,0,0]}]"""));
    }

    [Fact]
    public void MutatedDocumentsGiveAnErrorOrAResult()
    {
        var json =
            """{"maps":[{"name":"m","entries":[{"key":["0x01",2,3,4],"values":[{"cpu":0,"value":7}]}]}]}"""u8.ToArray();
        var random = new Random(7);
        for (var i = 0; i < 3000; i++)
        {
            var mutated = json[..random.Next(json.Length + 1)];
            for (var change = random.Next(4); change > 0 && mutated.Length > 0; change--)
            {
                mutated[random.Next(mutated.Length)] = (byte)random.Next(256);
            }
            using var bench = new MapBench(MapType.PercpuHash, 4, 4, 2);
            try
            {
                MapContents.Read(bench.Map, mutated, "contents.json", _ => null);
            }
            catch (InputException) { }
        }
    }

    private static int Read(MapBench bench, string json) =>
        MapContents.Read(bench.Map, Encoding.UTF8.GetBytes(json), "contents.json", _ => null);

    private static string ErrorOf(MapBench bench, string json) =>
        Assert.Throws<InputException>(() => Read(bench, json)).Message;

    private static string Dump(MapBench bench, Btf? btf = null) =>
        Write(writer => MapDump.WriteEntries(writer, bench.Map, btf));

    private static string Write(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            write(writer);
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    // Entries of a hash come in any order.
    private static IEnumerable<string> Normalize(string json) =>
        JsonNode.Parse(json)!.AsArray().Select(entry => entry!.ToJsonString()).Order(StringComparer.Ordinal);
}
