using RxStages.Bpf.Errors;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Programs;
using RxStages.Bpf.Tests.Compilation;
using RxStages.Bpf.Tests.Objects;

namespace RxStages.Bpf.Tests.Programs;

public class ConfigurationTests
{
    private static ObjectSpec Spec { get; } = TestObjects.Read("replaceable.clang-19");

    [Theory]
    [InlineData("settings.ports[2]", "65535", 4, "FFFF")]
    [InlineData("settings.ports", "{1, 0x203}", 0, "0100030200000000")]
    [InlineData("settings.ports", "{}", 0, "0000000000000000")]
    [InlineData("settings.enabled", "true", 8, "01")]
    [InlineData("settings.mode", "MODE_ON", 12, "05000000")]
    [InlineData("settings.mode", "MODE_AUTO", 12, "FEFFFFFF")]
    [InlineData("settings.mode", "-7", 12, "F9FFFFFF")]
    [InlineData("settings.name", "eth0", 16, "6574683000000000")]
    [InlineData("settings.name", "\"a b\"", 16, "6120620000000000")]
    [InlineData("settings.number", "-2", 24, "FEFFFFFF")]
    [InlineData("settings.bytes[3]", "'A'", 27, "41")]
    [InlineData("settings.low", "5", 28, "05")]
    [InlineData("settings.high", "-1", 28, "F8")]
    [InlineData("settings.inner.deep", "0x7fffffffffffffff", 32, "FFFFFFFFFFFFFF7F")]
    public void VariablesTakeValuesByTheirTypes(string path, string value, int offset, string expected)
    {
        var spec = Set((path, value));
        var bytes = Value(spec, "settings");
        Assert.Equal(expected, Convert.ToHexString(bytes.AsSpan(offset, expected.Length / 2)));
    }

    [Fact]
    public void LaterValuesComeOnTopOfEarlierOnes()
    {
        var bytes = Value(Set(("settings.ports", "{1,2,3,4}"), ("settings.ports[1]", "9")), "settings");
        Assert.Equal([1, 0, 9, 0, 3, 0, 4, 0], bytes[..8]);
    }

    [Theory]
    [InlineData("level", "256", "0 to 255")]
    [InlineData("level", "x", "no number")]
    [InlineData("levle", "1", "did you mean 'level'")]
    [InlineData("settings.prots[0]", "1", "did you mean 'ports'")]
    [InlineData("settings.ports[4]", "1", "there are 4")]
    [InlineData("settings.ports[-1]", "1", "there are 4")]
    [InlineData("settings.ports", "{1,2,3,4,5}", "too many")]
    [InlineData("settings.ports", "1", "write {1, 2}")]
    [InlineData("settings.ports", "{1,{2}}", "element 1")]
    [InlineData("settings.name", "12345678", "room for 7")]
    [InlineData("settings.mode", "MODE_OM", "MODE_ON")]
    [InlineData("settings.enabled", "2", "0 to 1")]
    [InlineData("settings.low", "8", "0 to 7")]
    [InlineData("settings.pointer", "1", "pointer")]
    [InlineData("settings", "1", "set its members")]
    [InlineData("level.x", "1", "no members")]
    [InlineData("level[0]", "1", "no array")]
    [InlineData("", "1", "no name")]
    [InlineData("settings.", "1", "no member")]
    [InlineData("settings[", "1", "no array")]
    public void WhatDoesNotFitIsRefusedWithAReason(string path, string value, string reason)
    {
        var error = Assert.Throws<InputException>(() => Set((path, value)));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ProgramsSeeTheValues()
    {
        using var loaded = LoadedObject.Load(Spec, new LoadOptions { Globals = [new("verdict", "3")] });
        using var vector = new TestVector(new byte[64]);
        Assert.Equal([3u], vector.Run(loaded.GetProgram("program")));
    }

    [Fact]
    public void MapsTakeOtherSizes()
    {
        var sizes = new Dictionary<string, uint> { ["pinned"] = 99 };
        var options = new LoadOptions
        {
            MapSizes = System.Collections.Immutable.ImmutableDictionary.CreateRange(sizes),
        };
        using var loaded = LoadedObject.Load(Spec, options);
        Assert.Equal(99u, loaded.FindMap("pinned").Spec.MaxEntries);
        var wrong = new LoadOptions { MapSizes = options.MapSizes.Add("pined", 1) };
        var error = Assert.Throws<InputException>(() => LoadedObject.Load(Spec, wrong));
        Assert.Contains("did you mean 'pinned'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void PinnedMapsLiveOn()
    {
        var directory = Directory.CreateTempSubdirectory("rxstages").FullName;
        try
        {
            var options = new LoadOptions { PinDirectory = directory };
            using var vector = new TestVector(new byte[64]);
            for (ulong run = 1; run <= 3; run++)
            {
                using var loaded = LoadedObject.Load(Spec, options);
                vector.Run(loaded.GetProgram("program"));
                loaded.SavePinnedMaps();
                var count = new byte[8];
                Assert.Equal(0, loaded.FindMap("pinned").Lookup([1, 0, 0, 0], count));
                Assert.Equal(run, BitConverter.ToUInt64(count));
            }
            Assert.Equal(["pinned"], Directory.GetFiles(directory).Select(Path.GetFileName));
            var other = options with { MapSizes = options.MapSizes.Add("pinned", 9) };
            var error = Assert.Throws<InputException>(() => LoadedObject.Load(Spec, other));
            Assert.Contains("maxEntries is 8 there and 9", error.Message, StringComparison.Ordinal);
            File.WriteAllText(Path.Combine(directory, "pinned"), "[]");
            Assert.Throws<InputException>(() => LoadedObject.Load(Spec, options));
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static ObjectSpec Set(params (string Path, string Value)[] globals) =>
        Configuration.Apply(
            Spec,
            new LoadOptions { Globals = [.. globals.Select(global => KeyValuePair.Create(global.Path, global.Value))] }
        );

    private static byte[] Value(ObjectSpec spec, string variable)
    {
        foreach (var map in spec.Maps.Where(map => map is { IsGlobalData: true, BtfValueType: not 0 }))
        {
            var section = spec.Btf![map.BtfValueType];
            for (var i = 0; i < section.Count; i++)
            {
                var entry = section.SectionVariable(i);
                if (spec.Btf[entry.Type].Name == variable)
                {
                    return map.InitialValue.AsSpan().Slice((int)entry.Offset, (int)entry.Size).ToArray();
                }
            }
        }
        throw new InvalidOperationException(variable);
    }
}
