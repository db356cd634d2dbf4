using System.Text;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Interpretation;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Programs;
using RxStages.Bpf.Verification;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Programs;

public unsafe class LoadedObjectTests
{
    private static ObjectSpec Filter { get; } = Read("dos_filter.bpf.o");

    [Fact]
    public void AProgramIsMadeOnceAndByName()
    {
        using var loaded = LoadedObject.Load(Read("vlan.bpf.o"));
        var push = loaded.GetProgram("vlan_push");
        Assert.Same(push, loaded.GetProgram("vlan_push"));
        Assert.NotSame(push, loaded.GetProgram("vlan_pop"));
    }

    [Fact]
    public void ProgramArraysWithStaticValuesAreFilled()
    {
        using var loaded = LoadedObject.Load(Read("tail_calls.bpf.o"));
        var array = Assert.Single(loaded.Maps.OfType<ProgramArrayMap>());
        foreach (var (index, name) in array.Spec.InitialPrograms)
        {
            Assert.Equal(name, array.GetProgram(index)?.Name);
        }
        Assert.NotEmpty(array.Spec.InitialPrograms);
    }

    [Fact]
    public void AProgramArrayIsFilledByProgramNames()
    {
        using var loaded = LoadedObject.Load(Read("tail_calls.bpf.o"));
        var array = Assert.Single(loaded.Maps.OfType<ProgramArrayMap>());
        Fill("""[{"key":["0x00","0x00","0x00","0x00"],"program":"parse_udp"}]""");
        Assert.Equal("parse_udp", array.GetProgram(0)?.Name);
        var error = Assert.Throws<InputException>(() =>
            Fill("""[{"key":["0x00","0x00","0x00","0x00"],"program":"parse_sctp"}]""")
        );
        Assert.Contains("parse_sctp", error.Message);

        void Fill(string json) => loaded.FillMap(array.Spec.Name, Encoding.UTF8.GetBytes(json), "contents.json");
    }

    [Fact]
    public void AMapIsFoundByNameOrTheErrorListsThem()
    {
        using var loaded = LoadedObject.Load(Filter);
        Assert.Equal("counters", loaded.FindMap("counters").Spec.Name);
        var error = Assert.Throws<InputException>(() => loaded.FindMap("counter"));
        Assert.Contains("counters", error.Message);
    }

    [Fact]
    public void WhatTheVerifierRejectsRunsInTheInterpreterOnly()
    {
        var spec = OfOneProgram("r0 = *(u8 *)(r1 + 100)\nexit", unsupported: null);
        using var compiled = LoadedObject.Load(spec);
        Assert.Throws<VerificationException>(() => compiled.GetProgram());
        using var interpreted = LoadedObject.Load(spec, new LoadOptions { Engine = ExecutionEngine.Interpreter });
        Assert.IsType<InterpretedProgram>(interpreted.GetProgram());
    }

    [Theory]
    [InlineData(ExecutionEngine.Compiler)]
    [InlineData(ExecutionEngine.Interpreter)]
    public void WhatIsNotSupportedIsRefusedWithItsReason(ExecutionEngine engine)
    {
        using var loaded = LoadedObject.Load(
            OfOneProgram("r0 = 2\nexit", "kfuncs are not supported yet"),
            new LoadOptions { Engine = engine }
        );
        var error = Assert.Throws<InputException>(() => loaded.GetProgram());
        Assert.Contains("kfuncs", error.Message);
    }

    [Fact]
    public void BytesOfMapValuesAreReadableToTheirEnd()
    {
        using var loaded = LoadedObject.Load(Filter);
        var counters = (ArrayMap)loaded.FindMap("counters");
        var value = (nint)counters.Values;
        Assert.Equal((int)counters.Spec.ValueSize, loaded.ReadableBytes(value));
        Assert.Equal(1, loaded.ReadableBytes(value + (int)counters.Spec.ValueSize - 1));
        Assert.Equal(0, loaded.ReadableBytes(0));
        Assert.Equal(0, loaded.ReadableBytes((nint)(&value)));
    }

    private static ObjectSpec Read(string name) => ObjectReader.Read(Repository.PathOf("programs", name));

    private static ObjectSpec OfOneProgram(string text, string? unsupported)
    {
        var instructions = Assembler.Assemble(text);
        return new ObjectSpec
        {
            Source = "test",
            Maps = [],
            Programs =
            [
                new ProgramSpec
                {
                    Name = "one",
                    Section = "xdp",
                    Instructions = instructions,
                    Functions = [new FunctionSpec("one", 0, instructions.Length, IsGlobal: true, BtfType: 0)],
                    Unsupported = unsupported,
                },
            ],
        };
    }
}
