using RxStages.Bpf.Errors;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Tests.Objects;

public class ObjectReaderTests
{
    private static readonly Instruction Zero = new((int)AluOperation.Mov | (int)InstructionClass.Alu64, 0, 0, 0, 0);
    private static readonly Instruction Exit = new(Opcode.Exit, 0, 0, 0, 0);
    private static readonly Instruction Wide = new(Opcode.LoadImmediate64, 1, 0, 0, 0);

    private readonly ElfBuilder _elf = new();

    [Fact]
    public void FilesOfTheFirstCompilersAreRead()
    {
        // No machine, and functions whose symbols have neither type nor size; local labels are no functions.
        _elf.Machine = 0;
        var code = _elf.AddCode("xdp", Zero, Exit, Zero, Zero, Exit);
        _elf.AddSymbol("second", ElfSymbolType.NoType, code, 2, 0);
        _elf.AddSymbol("LBB0_1", ElfSymbolType.NoType, code, 3, 0, ElfBinding.Local);
        _elf.AddSymbol("first", ElfSymbolType.NoType, code, 0, 0);
        Assert.Equal(
            [("first", 2), ("second", 3)],
            _elf.Read().Programs.Select(program => (program.Name, program.Instructions.Length))
        );
    }

    [Fact]
    public void AStaticFunctionInAProgramSectionIsNoProgramButMayBeCalled()
    {
        var code = _elf.AddCode("xdp", Call(1), Exit, Zero, Exit);
        _elf.AddSymbol("entry", ElfSymbolType.Function, code, 0, 2);
        _elf.AddSymbol("helper", ElfSymbolType.Function, code, 2, 2, ElfBinding.Local);
        var program = Assert.Single(_elf.Read().Programs);
        Assert.Equal(["entry", "helper"], program.Functions.Select(function => function.Name));
        Assert.Equal(2, program.Instructions[0].CallTarget(0));
    }

    [Fact]
    public void AFunctionMayCallItselfAndItsCaller()
    {
        var code = _elf.AddCode("xdp", Call(1), Exit, Call(-1), Call(-4), Exit);
        _elf.AddSymbol("entry", ElfSymbolType.Function, code, 0, 2);
        _elf.AddSymbol("helper", ElfSymbolType.Function, code, 2, 3, ElfBinding.Local);
        var program = Assert.Single(_elf.Read().Programs);
        Assert.Equal([2, 2, 0], new[] { 0, 2, 3 }.Select(slot => program.Instructions[slot].CallTarget(slot)));
    }

    [Fact]
    public void ALongChainOfCallsIsLinked()
    {
        const int Count = 50_000;
        var instructions = new Instruction[2 * Count];
        for (var i = 0; i < Count; i++)
        {
            instructions[2 * i] = Call(i + 1 < Count ? 1 : -1);
            instructions[(2 * i) + 1] = Exit;
        }
        var code = _elf.AddCode("xdp", instructions);
        for (var i = 0; i < Count; i++)
        {
            var binding = i == 0 ? ElfBinding.Global : ElfBinding.Local;
            _elf.AddSymbol("f", ElfSymbolType.Function, code, 2 * i, 2, binding);
        }
        Assert.Equal(Count, Assert.Single(_elf.Read().Programs).Functions.Length);
    }

    [Fact]
    public void ManyProgramsThatShareALargeFunctionAreRefusedBeforeTheyFillTheMemory()
    {
        var text = _elf.AddCode(".text", [.. Enumerable.Repeat(Zero, 100_000), Exit]);
        var shared = _elf.AddSymbol("shared", ElfSymbolType.Function, text, 0, 100_001);
        var code = _elf.AddCode("xdp", [.. Enumerable.Repeat(new[] { Call(-1), Exit }, 100).SelectMany(pair => pair)]);
        for (var i = 0; i < 100; i++)
        {
            _elf.AddSymbol("p" + i, ElfSymbolType.Function, code, 2 * i, 2);
        }
        _elf.AddRelocations(code, [.. Enumerable.Range(0, 100).Select(i => (2 * i, BpfRelocationType.Call, shared))]);
        AssertRefused("programs too large");
    }

    [Fact]
    public void CallsAndReferencesToWhatIsNotThereAreRefused()
    {
        var code = _elf.AddCode("xdp", Call(0), Exit);
        _elf.AddSymbol("entry", ElfSymbolType.Function, code, 0, 2);
        AssertRefused("function 'entry', instruction 0: a call of slot 1 of section 'xdp', where no function begins");
    }

    [Fact]
    public void AReferenceBehindASectionsEndIsRefused()
    {
        var data = _elf.Add(".bss", ElfSectionType.NoBits, ElfSectionFlags.Alloc, [], size: 16);
        var symbol = _elf.AddSymbol("variable", ElfSymbolType.Object, data, 2, 1);
        var code = _elf.AddCode("xdp", Wide, default, Zero, Exit);
        _elf.AddSymbol("entry", ElfSymbolType.Function, code, 0, 4);
        _elf.AddRelocations(code, (0, BpfRelocationType.WideLoad, symbol));
        AssertRefused("a reference to byte 16 of section '.bss', which has 16");
    }

    [Fact]
    public void AReferenceToASectionThatHoldsNothingForProgramsIsRefused()
    {
        var data = _elf.Add("license", ElfSectionType.ProgramBits, ElfSectionFlags.Alloc, [.. "GPL\0"u8]);
        var symbol = _elf.AddSymbol("text", ElfSymbolType.Object, data, 0, 1);
        var code = _elf.AddCode("xdp", Wide, default, Zero, Exit);
        _elf.AddSymbol("entry", ElfSymbolType.Function, code, 0, 4);
        _elf.AddRelocations(code, (0, BpfRelocationType.WideLoad, symbol));
        AssertRefused("a reference to section 'license'");
    }

    [Theory]
    [InlineData(PseudoLoad.MapFd)]
    [InlineData(PseudoLoad.MapIndex)]
    [InlineData(PseudoLoad.MapIndexValue)]
    [InlineData(PseudoLoad.Function)]
    public void AWideLoadThatMeansSomethingNeedsARelocation(int source)
    {
        var code = _elf.AddCode("xdp", new(Opcode.LoadImmediate64, 1, source, 0, 0), default, Zero, Exit);
        _elf.AddSymbol("entry", ElfSymbolType.Function, code, 0, 4);
        AssertRefused($"a wide load of kind {source} without a relocation");
    }

    [Fact]
    public void AWideLoadThatIsCutOffIsRefused()
    {
        var code = _elf.AddCode("xdp", Zero, Wide);
        _elf.AddSymbol("entry", ElfSymbolType.Function, code, 0, 2);
        AssertRefused("a wide load without its second half");
    }

    [Fact]
    public void AFunctionBehindItsSectionsEndIsRefused()
    {
        var code = _elf.AddCode("xdp", Zero, Exit);
        _elf.AddSymbol("entry", ElfSymbolType.Function, code, 1, 2);
        AssertRefused("function 'entry' (16 bytes at 8) is not made of its instructions");
    }

    [Fact]
    public void SectionsThatShareBytesAreRefused()
    {
        _elf.Add(".data", ElfSectionType.ProgramBits, ElfSectionFlags.Alloc, new byte[1000]);
        var file = _elf.ToArray();
        // The symbol table's header: make it cover the whole file.
        BitConverter.TryWriteBytes(file.AsSpan(64 + 64 + 24), 0ul);
        BitConverter.TryWriteBytes(file.AsSpan(64 + 64 + 32), (ulong)file.Length);
        AssertRefused("sections overlap", file);
    }

    [Fact]
    public void MapsThatHaveTwoNamesAreOne()
    {
        var maps = _elf.Add("maps", ElfSectionType.ProgramBits, ElfSectionFlags.Alloc, new byte[24]);
        _elf.AddSymbol("one", ElfSymbolType.Object, maps, 0, 0);
        _elf.AddSymbol("same", ElfSymbolType.Object, maps, 0, 0);
        Assert.Equal("one", Assert.Single(_elf.Read().Maps).Name);
    }

    [Fact]
    public void OldMapsWithOptionsThatAreNotKnownAreRefused()
    {
        var definition = new byte[32];
        definition[24] = 1;
        var maps = _elf.Add("maps", ElfSectionType.ProgramBits, ElfSectionFlags.Alloc, definition);
        _elf.AddSymbol("one", ElfSymbolType.Object, maps, 0, 0);
        AssertRefused("map 'one': it has options that are not known here");
    }

    [Theory]
    [InlineData(4, 1)]
    [InlineData(5, 2)]
    [InlineData(16, 2)]
    [InlineData(18, 62)]
    public void FilesOfOtherClassesOrderTypeOrMachineAreRefused(int at, byte value)
    {
        var file = _elf.ToArray();
        file[at] = value;
        AssertRefused("ELF header", file);
    }

    [Fact]
    public void WhatIsNoElfFileIsRefused() => AssertRefused("test: not an ELF file", [.. "#!/bin/sh"u8]);

    [Fact]
    public void AFileThatIsNotThereIsRefused()
    {
        var error = Assert.Throws<InputException>(() => ObjectReader.Read(TestObjects.PathOf("nowhere")));
        Assert.EndsWith("nowhere.o", error.InputSource, StringComparison.Ordinal);
    }

    [Fact]
    public void AFolderIsRefused() => Assert.Throws<InputException>(() => ObjectReader.Read(AppContext.BaseDirectory));

    [Fact]
    public void AFileIsReadFromItsPath() =>
        Assert.Equal("program", ObjectReader.Read(TestObjects.PathOf("globals.clang-14")).Programs[0].Name);

    private static Instruction Call(int immediate) => new(Opcode.Call, 0, PseudoCall.Local, 0, immediate);

    private void AssertRefused(string reason, byte[]? file = null)
    {
        var error = Assert.Throws<InputException>(() => ObjectReader.Read(file ?? _elf.ToArray(), "test"));
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }
}
