using RxStages.Bpf.Compilation;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Isa;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Compilation;

public class CheckedProgramTests
{
    public static TheoryData<string> Cases => [.. InstructionCases.All.Select(@case => @case.Name)];

    /// <summary>The table of all instructions, compiled.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void InstructionsDoWhatTheStandardSays(string name)
    {
        var @case = InstructionCases.Find(name);
        var program = IlCompiler.CompileChecked(Assembler.Assemble(@case.Text).AsSpan());
        var memory = @case.Memory.ToArray();
        if (@case.Result is { } result)
        {
            Assert.Equal(result, program.Run(memory));
        }
        else
        {
            Assert.Throws<InputException>(() => program.Run(memory));
        }
    }

    [Theory]
    [InlineData("r0 = -1\nr0 <<= 32\nr0 >>= 32\nexit", 0xffffffffUL)]
    [InlineData("r0 = 0xfff\nr0 <<= 56\nr0 s>>= 56\nexit", ulong.MaxValue)]
    [InlineData("r0 = -1\nr0 <<= 32\nr0 >>= 36\nexit", 0xfffffffUL)]
    [InlineData("r0 = 0x80\nr0 <<= 56\ngoto over\nover:\nr0 s>>= 56\nexit", 0xffffffffffffff80UL)]
    [InlineData("r0 = 0x8000\nr0 <<= 48\nr0 s>>= 48\nexit", 0xffffffffffff8000UL)]
    public void ShiftPairsThatTruncateOrExtendDoWhatTheShiftsDo(string text, ulong expected) =>
        Assert.Equal(expected, Run(text));

    [Fact]
    public void ALoopRunsToItsEnd() =>
        Assert.Equal(4950UL, Run("r0 = 0\nr1 = 0\nagain:\nr0 += r1\nr1 += 1\nif r1 < 100 goto again\nexit"));

    [Fact]
    public void AnEndlessLoopEndsWithTheBudget()
    {
        var program = IlCompiler.CompileChecked(Assembler.Assemble("again:\nr0 = 1\ngoto again").AsSpan());
        var error = Assert.Throws<InputException>(() => program.Run([], budget: 1000));
        Assert.Equal("instruction 1", error.Place);
    }

    [Fact]
    public void FunctionsKeepTheirCallersRegistersAndStack() =>
        Assert.Equal(
            0x1234UL + 11,
            Run(
                """
                r6 = 0x1234
                *(u64 *)(r10 - 8) = r6
                r1 = 5
                r2 = 6
                call sum
                r1 = *(u64 *)(r10 - 8)
                r0 += r1
                exit
                sum:
                r6 = 0
                *(u64 *)(r10 - 8) = r6
                r0 = r1
                r0 += r2
                exit
                """
            )
        );

    [Theory]
    [InlineData("r0 = *(u64 *)(r1 + 1)\nexit", "instruction 0")]
    [InlineData("r0 = *(u8 *)(r1 - 1)\nexit", "instruction 0")]
    [InlineData("r0 = 0\n*(u32 *)(r10 - 516) = r0\nexit", "instruction 1")]
    [InlineData("r0 = 0\n*(u32 *)(r10 - 2) = r0\nexit", "instruction 1")]
    [InlineData("r0 = 0\nr0 = *(u8 *)(r0 + 0)\nexit", "instruction 1")]
    [InlineData("call 77\nexit", "instruction 0")]
    [InlineData("call again\nexit\nagain:\ncall again\nexit", "instruction 2")]
    public void WhatIsOutOfBoundsAborts(string text, string place)
    {
        var program = IlCompiler.CompileChecked(Assembler.Assemble(text).AsSpan());
        Assert.Equal(place, Assert.Throws<InputException>(() => program.Run(new byte[8])).Place);
    }

    private static ulong Run(string text) => IlCompiler.CompileChecked(Assembler.Assemble(text).AsSpan()).Run([]);

    [Theory]
    [InlineData(Opcode.Call, 0, 7)]
    [InlineData(Opcode.CallRegister, 6, 0)]
    [InlineData(Opcode.CallRegister, 0, 6)]
    public void AHelperIsCalledByItsNumberOrByTheRegisterThatHoldsIt(byte opcode, int destination, int immediate)
    {
        var helpers = new Dictionary<int, Func<ulong, ulong, ulong, ulong, ulong, ulong>>
        {
            [7] = (a, b, c, d, e) => (a * 10000) + (b * 1000) + (c * 100) + (d * 10) + e,
        };
        Instruction[] program =
        [
            .. Assembler.Assemble("r1 = 1\nr2 = 2\nr3 = 3\nr4 = 4\nr5 = 5\nr6 = 7"),
            new(opcode, destination, 0, 0, immediate),
            .. Assembler.Assemble("r0 += r6\nexit"),
        ];
        Assert.Equal(12352UL, IlCompiler.CompileChecked(program, helpers).Run([]));
    }

    [Fact]
    public void TheLongestProgramRunsAndALongerOneIsRefused()
    {
        var longest = Enumerable.Repeat(new Instruction(0xb7, 0, 0, 0, 7), CheckedProgram.MaxInstructions - 1).ToList();
        longest.Add(new Instruction(Opcode.Exit, 0, 0, 0, 0));
        Assert.Equal(7ul, IlCompiler.CompileChecked(longest.ToArray()).Run([]));
        longest.Insert(0, longest[0]);
        var error = Assert.Throws<InputException>(() => IlCompiler.CompileChecked(longest.ToArray()));
        Assert.Contains("32768", error.Message);
    }
}
