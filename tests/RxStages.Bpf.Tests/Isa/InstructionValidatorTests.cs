using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Tests.Isa;

/// <summary>What is rejected here was run through a kernel's verifier (6.18), which rejects it for the same reason.</summary>
public class InstructionValidatorTests
{
    [Theory]
    [InlineData(0x8f, 1, 2, 0, 0, "NEG uses reserved")]
    [InlineData(0x87, 1, 0, 0, 1, "NEG uses reserved")]
    [InlineData(0xdc, 1, 0, 0, 24, "END uses reserved")]
    [InlineData(0xdf, 1, 0, 0, 16, "END uses reserved")]
    [InlineData(0x07, 1, 2, 0, 5, "ADD uses reserved")]
    [InlineData(0x0f, 1, 2, 1, 0, "ADD uses reserved")]
    [InlineData(0x0f, 1, 2, 0, 5, "ADD uses reserved")]
    [InlineData(0x3f, 1, 2, 2, 0, "DIV uses reserved")]
    [InlineData(0xbc, 1, 2, 32, 0, "MOV uses reserved")]
    [InlineData(0xbf, 1, 2, 1, 1, "MOV uses reserved")]
    [InlineData(0xb7, 1, 0, 8, 0, "MOV uses reserved")]
    [InlineData(0xe7, 1, 0, 0, 0, "unknown opcode e7")]
    [InlineData(0x37, 1, 0, 0, 0, "div by zero")]
    [InlineData(0x94, 1, 0, 1, 0, "div by zero")]
    [InlineData(0x67, 1, 0, 0, 64, "invalid shift 64")]
    [InlineData(0xc4, 1, 0, 0, 32, "invalid shift 32")]
    [InlineData(0x77, 1, 0, 0, -1, "invalid shift -1")]
    [InlineData(0xb7, 11, 0, 0, 0, "R11 is invalid")]
    [InlineData(0xbf, 1, 12, 0, 0, "R12 is invalid")]
    [InlineData(0xb7, 10, 0, 0, 0, "frame pointer is read only")]
    [InlineData(0x61, 10, 1, 0, 0, "frame pointer is read only")]
    [InlineData(0xdb, 1, 10, 0, 1, "frame pointer is read only")]
    [InlineData(0x61, 1, 1, 0, 5, "LDX uses reserved")]
    [InlineData(0x99, 1, 1, 0, 0, "unknown opcode 99")]
    [InlineData(0x7a, 1, 1, 0, 0, "ST uses reserved")]
    [InlineData(0x7b, 1, 1, 0, 4, "STX uses reserved")]
    [InlineData(0x9b, 1, 1, 0, 0, "unknown opcode 9b")]
    [InlineData(0xcb, 1, 2, 0, 0, "invalid atomic operand size")]
    [InlineData(0xdb, 1, 2, 0, 0xe0, "invalid atomic opcode e0")]
    [InlineData(0xdb, 1, 2, 0, 0x10, "invalid atomic opcode 10")]
    [InlineData(0x05, 1, 0, 0, 0, "JA uses reserved")]
    [InlineData(0x06, 0, 0, 1, 0, "JA uses reserved")]
    [InlineData(0x15, 1, 1, 0, 0, "JMP uses reserved")]
    [InlineData(0x1d, 1, 1, 0, 7, "JMP uses reserved")]
    [InlineData(0x86, 0, 0, 0, 0, "unknown opcode 86")]
    [InlineData(0x96, 0, 0, 0, 0, "unknown opcode 96")]
    [InlineData(0x95, 0, 0, 0, 1, "EXIT uses reserved")]
    [InlineData(0x85, 1, 0, 0, 1, "CALL uses reserved")]
    [InlineData(0x85, 0, 3, 0, 1, "CALL uses reserved")]
    [InlineData(0x85, 0, 2, 0, 42, "there is no kernel function")]
    [InlineData(0x8d, 1, 0, 0, 0, "callx is not supported")]
    [InlineData(0xe5, 0, 0, 0, 1, "invalid may_goto imm")]
    [InlineData(0x30, 0, 0, 0, 0, "not allowed for this program type")]
    [InlineData(0x00, 0, 0, 0, 0, "unknown opcode 00")]
    [InlineData(0x18, 1, 0, 0, 0, "invalid bpf_ld_imm64")]
    public void AnInstructionThatTheKernelRejectsIsRejected(int op, int dst, int src, int off, int imm, string reason)
    {
        Instruction[] program = [new(op, dst, src, off, imm), .. Assembler.Assemble("r0 = 0\nexit")];
        var error = InstructionValidator.Validate(program);
        Assert.NotNull(error);
        Assert.Equal(0, error.Slot);
        Assert.Contains(reason, error.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(PseudoLoad.MapFd, 0, "not linked")]
    [InlineData(PseudoLoad.MapFdValue, 0, "not linked")]
    [InlineData(PseudoLoad.BtfId, 0, "not supported")]
    [InlineData(PseudoLoad.MapIndex, 2, "no map 2")]
    [InlineData(PseudoLoad.MapIndexValue, -1, "no map -1")]
    [InlineData(7, 0, "unrecognized")]
    public void AWideLoadMustBeLinked(int source, int immediate, string reason)
    {
        Instruction[] program = [new(0x18, 1, source, 0, immediate), default, .. Assembler.Assemble("exit")];
        var error = InstructionValidator.Validate(program, mapCount: 2);
        Assert.NotNull(error);
        Assert.Contains(reason, error.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("goto +1\nexit", 0, "jump out of range")]
    [InlineData("r0 = 0\nif r0 == 0 goto -3\nexit", 1, "jump out of range")]
    [InlineData("gotol +2147483647\nexit", 0, "jump out of range")]
    [InlineData("gotol -2147483648\nexit", 0, "jump out of range")]
    [InlineData("goto +1\nr1 = 0 ll\nexit", 0, "middle of ldimm64 insn 1")]
    [InlineData("r0 = 0", 0, "last insn is not")]
    [InlineData("exit\nr0 = 0 ll", 1, "last insn is not")]
    [InlineData("call f\ngoto f\nf: exit", 1, "jump out of range")]
    [InlineData("call f\nr0 = 0\nf: exit", 1, "last insn is not")]
    public void ControlMayNotLeaveAFunction(string text, int slot, string reason)
    {
        var error = InstructionValidator.Validate(Assembler.Assemble(text).AsSpan());
        Assert.NotNull(error);
        Assert.Equal(slot, error.Slot);
        Assert.Contains(reason, error.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-3, false)]
    [InlineData(-2, true)]
    [InlineData(-1, true)]
    [InlineData(0, false)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    [InlineData(int.MaxValue, false)]
    [InlineData(int.MinValue, false)]
    public void ACallMustHitAnInstruction(int distance, bool isValid)
    {
        Instruction[] program =
        [
            new(Opcode.Jump, 0, 0, 0, 0),
            new(Opcode.LoadImmediate64, 1, PseudoLoad.Function, 0, distance),
            default,
            new(Opcode.Exit, 0, 0, 0, 0),
        ];
        var reason = InstructionValidator.Validate(program)?.Reason;
        Assert.Equal(isValid, reason?.StartsWith("call to invalid", StringComparison.Ordinal) is not true);
    }

    [Theory]
    [InlineData(new[] { 0, 3 }, null)]
    [InlineData(new[] { 0, 2 }, "call to invalid destination 3")]
    [InlineData(new[] { 0, 3, 3 }, "function 2 starts at slot 3, which is no place for it")]
    [InlineData(new[] { 1, 3 }, "function 0 starts at slot 1, which is no place for it")]
    [InlineData(new[] { 0, 7 }, "function 1 starts at slot 7, which is no place for it")]
    public void WithATableOfFunctionsOnlyTheyCanBeCalled(int[] functionStarts, string? reason)
    {
        var program = Assembler.Assemble("call f\nr0 = 1\nexit\nf: exit").AsSpan();
        Assert.Equal(reason, InstructionValidator.Validate(program, functionStarts)?.Reason);
    }

    [Fact]
    public void AProgramHasOneToAMillionInstructions()
    {
        Assert.NotNull(InstructionValidator.Validate([]));
        var program = new Instruction[InstructionValidator.MaxSlots + 1];
        Array.Fill(program, new Instruction(Opcode.Exit, 0, 0, 0, 0));
        Assert.NotNull(InstructionValidator.Validate(program));
        Assert.Null(InstructionValidator.Validate(program.AsSpan(1)));
    }

    [Theory]
    [InlineData("r1 <<= 64")]
    [InlineData("w1 s>>= 40")]
    [InlineData("r1 /= 0")]
    [InlineData("w1 s%= 0")]
    [InlineData("callx r1")]
    public void Rfc9669AllowsWhatTheKernelDoesNot(string text)
    {
        var program = Assembler.Assemble(text + "\nexit").AsSpan();
        Assert.NotNull(InstructionValidator.Validate(program));
        Assert.Null(InstructionValidator.Validate(program, rules: InstructionRules.Rfc9669));
    }

    [Fact]
    public void FunctionsAreWhatIsCalledOrWhoseAddressIsTaken()
    {
        var program = Assembler.Assemble("call g\nr1 = function f ll\nexit\nf: exit\ng: exit").AsSpan();
        Assert.Equal([0, 4, 5], InstructionValidator.FindFunctions(program));
        Assert.Null(InstructionValidator.Validate(program));
    }
}
