using RxStages.Bpf.Isa;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Programs;

namespace RxStages.Bpf.Tests.Objects;

public class OldObjectTests
{
    public static TheoryData<string> Iproute =>
        [.. TestObjects.CompiledFrom("iproute"), "iproute.clang-14.nobtf", "iproute.clang-19.nobtf"];

    [Theory]
    [MemberData(nameof(Iproute))]
    public void DefinitionsOfIprouteNameInnerMapsByIdentity(string name)
    {
        var spec = TestObjects.Read(name);
        var outer = spec.Maps.Single(map => map.Name == "outer");
        Assert.Equal("inner", outer.Inner?.Name);
        Assert.Equal([KeyValuePair.Create(1u, "inner")], outer.InitialMaps);
        Assert.True(spec.Maps.Single(map => map.Name == "inner").PinByName);
        Assert.False(outer.PinByName);
    }

    [Theory]
    [MemberData(nameof(Iproute))]
    public void SectionsOfIprouteFillProgArrays(string name)
    {
        var spec = TestObjects.Read(name);
        var jumps = spec.Maps.Single(map => map.Name == "jumps");
        Assert.Equal([KeyValuePair.Create(3u, "target")], jumps.InitialPrograms);
        Assert.Equal(64u, MapFactory.Complete(jumps, 2).MaxEntries);
    }

    [Theory]
    [MemberData(nameof(Iproute))]
    public void TriesGetTheFlagWithoutWhichNoKernelMakesThem(string name) =>
        Assert.Equal(MapFlags.NoPrealloc, TestObjects.Read(name).Maps.Single(map => map.Name == "prefixes").Flags);

    [Theory]
    [MemberData(nameof(Iproute))]
    public void ProgramsWithoutATypeAreThereByName(string name)
    {
        var spec = TestObjects.Read(name);
        Assert.Equal(["hidden_entry"], spec.Programs.Select(program => program.Name));
        Assert.Equal("entry", spec.FindProgram("entry").Name);
        Assert.Equal("entry", spec.FindProgram("prog").Name);
        Assert.Equal(["kprobe/other"], spec.OtherSections);
    }

    [Theory]
    [MemberData(nameof(Iproute))]
    public void TheObjectIsLoadedWithItsMapsAndProgramsInPlace(string name)
    {
        using var loaded = LoadedObject.Load(TestObjects.Read(name));
        var outer = (IMapOfMaps)loaded.FindMap("outer");
        Assert.Same(loaded.FindMap("inner"), outer.GetMap([1, 0, 0, 0]));
        Assert.Null(outer.GetMap([0, 0, 0, 0]));
        using var vector = new Compilation.TestVector(new byte[64]);
        Assert.Equal([1u], vector.Run(loaded.GetProgram("entry")));
    }

    [Fact]
    public void SectionsWithoutAnySymbolAreOneProgram()
    {
        var elf = new ElfBuilder();
        elf.AddCode("xdp", [.. Assembler.Assemble("r0 = 2\nexit")]);
        var program = Assert.Single(elf.Read().Programs);
        Assert.Equal(("xdp", 2), (program.Name, program.Instructions.Length));
    }

    [Fact]
    public void StaticFunctionsThatAreCalledAreNoPrograms()
    {
        var elf = new ElfBuilder();
        var code = elf.AddCode("xdp", [.. Assembler.Assemble("call called\nexit\ncalled:\nr0 = 2\nexit")]);
        elf.AddSymbol("entry", ElfSymbolType.NoType, code, 0, 0);
        elf.AddSymbol("called", ElfSymbolType.NoType, code, 2, 0, ElfBinding.Local);
        elf.AddSymbol("LBB0_1", ElfSymbolType.NoType, code, 1, 0, ElfBinding.Local);
        var program = Assert.Single(elf.Read().Programs);
        Assert.Equal(["entry", "called"], program.Functions.Select(function => function.Name));
    }
}
