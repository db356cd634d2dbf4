using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Tests.Objects;

public class LinkerTests
{
    public static TheoryData<string> Globals => TestObjects.CompiledFrom("globals");

    public static TheoryData<string> Programs =>
        [.. TestObjects.CompiledFrom("programs"), "programs.clang-14.nobtf", "programs.clang-19.nobtf"];

    [Theory]
    [MemberData(nameof(Globals))]
    public void FunctionsFollowTheEntryOnceEachInTheOrderInWhichCallsReachThem(string name)
    {
        var program = TestObjects.Read(name).FindProgram(null);
        Assert.Equal("program", program.Name);
        Assert.Equal(["program", "each", "outer", "inner", "hidden"], program.Functions.Select(f => f.Name));
        Assert.Equal(program.Instructions.Length, program.Functions.Sum(f => f.Length));
        Assert.All(program.Functions.Skip(1), f => Assert.True(program.Instructions[f.Start - 1].IsExit));
    }

    [Theory]
    [MemberData(nameof(Globals))]
    public void OnlyVisibleGlobalFunctionsAreGlobal(string name)
    {
        var functions = TestObjects.Read(name).FindProgram(null).Functions;
        Assert.Equal(["program", "outer"], functions.Where(f => f.IsGlobal).Select(f => f.Name));
    }

    [Theory]
    [MemberData(nameof(Globals))]
    public void FunctionsKeepTheirTypes(string name)
    {
        var spec = TestObjects.Read(name);
        Assert.All(
            spec.Programs[0].Functions,
            f => Assert.Equal((BtfKind.Function, f.Name), (spec.Btf![f.BtfType].Kind, spec.Btf[f.BtfType].Name))
        );
    }

    [Theory]
    [MemberData(nameof(Globals))]
    public void CallsAndFunctionAddressesLeadToTheFunctionsThatTheSourceNames(string name)
    {
        var program = TestObjects.Read(name).FindProgram(null);
        Assert.Equal(["outer", "inner", "hidden"], Callees(program, "program"));
        Assert.Equal(["inner"], Callees(program, "outer"));
        Assert.Equal(["inner"], Callees(program, "hidden"));
        Assert.Empty(Callees(program, "inner"));
        var address = Enumerable
            .Range(0, program.Instructions.Length)
            .Single(slot => program.Instructions[slot] is { IsWide: true, Source: PseudoLoad.Function });
        Assert.Equal("each", FunctionAt(program, address + 1 + program.Instructions[address].Immediate));
    }

    [Theory]
    [MemberData(nameof(Globals))]
    public void MapReferencesAreIndices(string name)
    {
        var spec = TestObjects.Read(name);
        var loads = WideLoads(spec.FindProgram(null)).Where(load => load.Source == PseudoLoad.MapIndex);
        Assert.Equal(["first", "second"], loads.Select(load => spec.Maps[load.First].Name));
    }

    [Theory]
    [InlineData("static_map.clang-14")]
    [InlineData("static_map.clang-19")]
    public void StaticMapsAreFoundByTheirOffset(string name)
    {
        var spec = TestObjects.Read(name);
        Assert.Equal(["second", "first"], WideLoads(spec.Programs[0]).Select(load => spec.Maps[load.First].Name));
    }

    [Theory]
    [MemberData(nameof(Globals))]
    public void VariableReferencesAreOffsetsIntoTheirSectionsMaps(string name)
    {
        var spec = TestObjects.Read(name);
        var loads = WideLoads(spec.FindProgram(null))
            .Where(load => load.Source == PseudoLoad.MapIndexValue)
            .Select(load => (spec.Maps[load.First].Name, load.Second))
            .ToHashSet();
        var expected = new[] { "limit", "names", "weight", "offset", "own", "zeros", "count" }.Select(variable =>
            PlaceOf(spec, variable)
        );
        Assert.Subset(loads, expected.ToHashSet());
    }

    [Theory]
    [MemberData(nameof(Globals))]
    public void SourceLinesFollowTheirFunctions(string name)
    {
        var program = TestObjects.Read(name).FindProgram(null);
        foreach (var function in program.Functions)
        {
            var line = program.LineOf(function.Start);
            Assert.NotNull(line);
            Assert.Equal(function.Start, line.Slot);
            Assert.EndsWith("globals.c", line.File, StringComparison.Ordinal);
            var source = File.ReadAllLines(Path.ChangeExtension(TestObjects.PathOf("globals"), ".c"));
            Assert.Equal(source[line.Line - 1], line.Text);
        }
        Assert.Contains(
            "return x * weight",
            program.LineOf(program.Functions[3].Start + program.Functions[3].Length - 1)!.Text,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public void EveryXdpSectionGivesItsProgramsInTheFilesOrder(string name)
    {
        var spec = TestObjects.Read(name);
        Assert.Equal(
            [
                ("one", "xdp", AttachKind.Xdp, false),
                ("two", "xdp", AttachKind.Xdp, false),
                ("three", "xdp/three", AttachKind.Xdp, false),
                ("frags", "xdp.frags", AttachKind.Xdp, true),
                ("old_name", "xdp_old", AttachKind.Xdp, false),
                ("on_devmap", "xdp/devmap", AttachKind.Devmap, false),
                ("on_cpumap", "xdp.frags/cpumap", AttachKind.Cpumap, true),
            ],
            spec.Programs.Select(p => (p.Name, p.Section, p.AttachKind, p.IsFrags))
        );
        Assert.Equal(["tc"], spec.OtherSections);
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public void AProgramHoldsOnlyTheFunctionsThatItNeeds(string name)
    {
        var spec = TestObjects.Read(name);
        Assert.Equal(["two", "shared"], spec.FindProgram("two").Functions.Select(f => f.Name));
        Assert.Equal(["three"], spec.FindProgram("three").Functions.Select(f => f.Name));
    }

    [Fact]
    public void WithoutTypeInformationNoFunctionIsGlobalAndNoLineIsKnown()
    {
        var spec = TestObjects.Read("programs.clang-14.nobtf");
        Assert.Null(spec.Btf);
        Assert.All(spec.Programs, p => Assert.Empty(p.Lines));
        Assert.All(spec.Programs, p => Assert.Null(p.LineOf(0)));
        Assert.All(spec.Programs.SelectMany(p => p.Functions), f => Assert.False(f.IsGlobal));
    }

    private static IEnumerable<string> Callees(ProgramSpec program, string function)
    {
        var caller = program.Functions.Single(f => f.Name == function);
        return Enumerable
            .Range(caller.Start, caller.Length)
            .Where(slot => program.Instructions[slot].IsLocalCall)
            .Select(slot => FunctionAt(program, program.Instructions[slot].CallTarget(slot)));
    }

    private static string FunctionAt(ProgramSpec program, int slot) =>
        program.Functions.Single(f => f.Start == slot).Name;

    private static IEnumerable<(int Source, int First, int Second)> WideLoads(ProgramSpec program)
    {
        for (var slot = 0; slot < program.Instructions.Length; slot++)
        {
            if (program.Instructions[slot].IsWide)
            {
                yield return (
                    program.Instructions[slot].Source,
                    program.Instructions[slot].Immediate,
                    program.Instructions[slot + 1].Immediate
                );
                slot++;
            }
        }
    }

    private static (string Section, int Offset) PlaceOf(ObjectSpec spec, string variable)
    {
        foreach (var map in spec.Maps.Where(map => map.BtfValueType != 0 && map.IsGlobalData))
        {
            var section = spec.Btf![map.BtfValueType];
            for (var i = 0; i < section.Count; i++)
            {
                if (spec.Btf[section.SectionVariable(i).Type].Name == variable)
                {
                    return (map.Name, (int)section.SectionVariable(i).Offset);
                }
            }
        }
        throw new InvalidOperationException(variable);
    }
}
