using System.Runtime.InteropServices;
using FsCheck;
using FsCheck.Fluent;
using RxStages.Bpf.Isa;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Isa;

public class DisassemblerTests
{
    /// <summary>
    /// The file has instructions as hex and, behind a tab, what <c>llvm-objdump-19 -d</c> printed for them, without the
    /// symbols of jump targets: from the objects in <c>programs/</c>, and one of every form. Atomic operations on 32 bits
    /// were printed with <c>--mcpu=v4</c>.
    /// </summary>
    [Fact]
    public void TheTextIsThatOfLlvmObjdump()
    {
        var lines = File.ReadAllLines(
            Repository.PathOf("tests", "RxStages.Bpf.Tests", "Isa", "Data", "llvm-objdump-19.txt")
        );
        Assert.True(lines.Length > 500);
        foreach (var line in lines)
        {
            var tab = line.IndexOf('\t', StringComparison.Ordinal);
            var bytes = Convert.FromHexString(line[..tab]);
            Assert.Equal(line[(tab + 1)..], Disassembler.Format(MemoryMarshal.Cast<byte, Instruction>(bytes), 0));
        }
    }

    [Theory]
    [InlineData("r1 = map[3] ll")]
    [InlineData("r1 = map_value[3]+0x8 ll")]
    [InlineData("r1 = function +0x5 ll")]
    [InlineData("r1 = function -0x5 ll")]
    [InlineData("call kfunc[5]")]
    [InlineData("w3 = load_acquire((u8 *)(r1 + 0x1))")]
    [InlineData("r3 = load_acquire((u64 *)(r1 - 0x8))")]
    [InlineData("store_release((u16 *)(r1 + 0x8), w3)")]
    [InlineData("store_release((u64 *)(r1 + 0x8), r3)")]
    public void WhatLlvm19DoesNotKnowIsWrittenAsTheAssemblerReadsIt(string text) =>
        Assert.Equal(text, Disassembler.Format(Assembler.Assemble(text).AsSpan(), 0));

    [Fact]
    public void ASymbolFollowsAJumpsTarget()
    {
        var program = Assembler.Assemble("a: r0 = 0\nif r0 == 5 goto a\ngotol a").AsSpan();
        Assert.Equal("if r0 == 0x5 goto -0x2 <to 0>", Disassembler.Format(program, 1, slot => $"to {slot}"));
        Assert.Equal("gotol -0x3 <to 0>", Disassembler.Format(program, 2, slot => $"to {slot}"));
        Assert.Equal("gotol -0x3", Disassembler.Format(program, 2, _ => null));
    }

    [Fact]
    public void AssemblingTheTextOfAValidInstructionGivesTheInstruction()
    {
        Prop.ForAll(
                ValidInstruction().ToArbitrary(),
                instruction =>
                {
                    Instruction[] program = instruction.IsWide ? [instruction, default] : [instruction];
                    return Assembler.Assemble(Disassembler.Format(program, 0)).AsSpan().SequenceEqual(program);
                }
            )
            .Check(Config.QuickThrowOnFailure.WithMaxTest(1_000).WithReplay(9669, 1).WithQuietOnSuccess(true));
    }

    [Fact]
    public void AnySlotHasAText()
    {
        var random = new Random(9669);
        Span<byte> bytes = stackalloc byte[2 * Instruction.Size];
        for (var round = 0; round < 20_000; round++)
        {
            random.NextBytes(bytes);
            Assert.NotEmpty(Disassembler.Format(MemoryMarshal.Cast<byte, Instruction>(bytes), round % 2));
        }
    }

    /// <summary>
    /// Any instruction that is valid alone, except local calls: objdump writes them like helper calls. Whatever has the
    /// offset of <c>exit</c> is written without it.
    /// </summary>
    private static Gen<Instruction> ValidInstruction() =>
        from opcode in Gen.Choose(0, 255)
        from destination in Gen.Choose(0, 10)
        from source in Gen.OneOf(Gen.Constant(0), Gen.Choose(0, 10))
        from offset in Gen.OneOf(Gen.Elements(0, 0, 0, 1, 8, 16, 32), Gen.Choose(short.MinValue, short.MaxValue))
        from immediate in Gen.OneOf(
            Gen.Elements(0, 0, 0, 1, 16, 32, 64, 0x40, 0x41, 0x50, 0x51, 0xa0, 0xa1, 0xe1, 0xf1, 0x100, 0x110),
            Gen.Choose(int.MinValue, int.MaxValue)
        )
        let instruction = new Instruction(opcode, destination, source, offset, immediate)
        where IsValid(instruction) && !instruction.IsLocalCall && !(instruction.IsExit && offset != 0)
        select instruction;

    private static bool IsValid(Instruction instruction)
    {
        Instruction[] program = instruction.IsWide ? [instruction, default] : [instruction];
        var error = InstructionValidator.Validate(program, rules: InstructionRules.Rfc9669);
        return error is null
            || error.Reason.Contains("last insn", StringComparison.Ordinal)
            || error.Reason.Contains("jump out of range", StringComparison.Ordinal);
    }
}
