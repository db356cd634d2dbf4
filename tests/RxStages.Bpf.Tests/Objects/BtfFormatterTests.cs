using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using RxStages.Bpf.Objects;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Objects;

public class BtfFormatterTests
{
    /// <summary>bpftool's dumps (see <c>data/dump.sh</c>), and the maps that they are of.</summary>
    public static TheoryData<string, string, string> Dumps
    {
        get
        {
            var dumps = new TheoryData<string, string, string>();
            foreach (string compiled in TestObjects.CompiledFrom("types").Select(row => row.Data))
            {
                dumps.Add(compiled, "entries", "entries");
                dumps.Add(compiled, "letters", "letters");
                dumps.Add(compiled, "types_data", ".data");
                dumps.Add(compiled, "types_bss", ".bss");
            }
            return dumps;
        }
    }

    [Theory]
    [MemberData(nameof(Dumps))]
    public void ValuesAreWrittenAsBpftoolWritesThem(string compiled, string dump, string mapName)
    {
        var spec = TestObjects.Read(compiled);
        var map = spec.Maps.Single(candidate => candidate.Name == mapName);
        var path = Path.ChangeExtension(TestObjects.PathOf(compiled), $".{dump}.json");
        var entries = JsonNode.Parse(File.ReadAllText(path))!.AsArray();
        Assert.NotEmpty(entries);
        foreach (var entry in entries)
        {
            AssertSame(entry!["formatted"]!["value"]!, Format(spec.Btf!, map.BtfValueType, BytesOf(entry["value"]!)));
            if (map.BtfKeyType != 0)
            {
                AssertSame(entry["formatted"]!["key"]!, Format(spec.Btf!, map.BtfKeyType, BytesOf(entry["key"]!)));
            }
        }
    }

    [Fact]
    public void FloatsAreNumbersWhereTheyCanBe()
    {
        var spec = TestObjects.Read("types.clang-19");
        var type = spec.Maps.Single(map => map.Name == "floats").BtfValueType;
        byte[] bytes = [.. BitConverter.GetBytes(1.5f), 0, 0, 0, 0, .. BitConverter.GetBytes(-0.1)];
        Assert.Equal("""{"real":1.5,"precise":-0.1}""", Format(spec.Btf!, type, bytes));
        bytes = [.. BitConverter.GetBytes(float.NaN), 0, 0, 0, 0, .. BitConverter.GetBytes(double.NegativeInfinity)];
        Assert.Equal("""{"real":"NaN","precise":"-Infinity"}""", Format(spec.Btf!, type, bytes));
    }

    [Fact]
    public void BytesThatAreNotThereAreNull()
    {
        var spec = TestObjects.Read("types.clang-19");
        var type = spec.Maps.Single(map => map.Name == "entries").BtfKeyType;
        Assert.Equal("null", Format(spec.Btf!, type, [1, 2, 3]));
    }

    [Fact]
    public void TextWithQuotesAndBackslashesIsEscaped()
    {
        var btf = new BtfBuilder();
        var text = btf.Array(btf.Integer("char", 1, BtfEncoding.Signed), 4);
        Assert.Equal("a\\\"", JsonNode.Parse(Format(btf.Build(), text, [.. "a\\\""u8, 0]))!.GetValue<string>());
    }

    [Fact]
    public void TypesThatNameTheSameBytesOverAndOverEndSoon()
    {
        var btf = new BtfBuilder();
        var type = btf.Integer("int", 4, BtfEncoding.Signed);
        for (var level = 0; level < 40; level++)
        {
            type = btf.Struct(4, ("a", type), ("b", type));
        }
        Assert.InRange(Format(btf.Build(), type, [1, 0, 0, 0]).Length, 100, 200_000);
    }

    [Fact]
    public void ManyElementsOfNoSizeEndSoon()
    {
        var btf = new BtfBuilder();
        var type = btf.Array(btf.Struct(0), uint.MaxValue);
        Assert.InRange(Format(btf.Build(), type, []).Length, 2, 200_000);
    }

    [Fact]
    public void AStructureThatHoldsItselfEnds()
    {
        var btf = new BtfBuilder();
        var type = btf.Struct(4, ("self", btf.NextId));
        Assert.InRange(Format(btf.Build(), type, [1, 0, 0, 0]).Length, 2, 2_000);
    }

    private static string Format(Btf btf, int type, byte[] bytes)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            BtfFormatter.Write(writer, btf, type, bytes);
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static byte[] BytesOf(JsonNode array) =>
        [.. array.AsArray().Select(item => byte.Parse(item!.GetValue<string>()[2..], NumberStyles.HexNumber))];

    private static void AssertSame(JsonNode expected, string actual) =>
        Assert.Equal(expected.ToJsonString(), JsonNode.Parse(actual)!.ToJsonString());
}
