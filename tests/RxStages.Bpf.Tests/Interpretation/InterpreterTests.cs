using RxStages.Bpf.Errors;
using RxStages.Bpf.Interpretation;
using RxStages.Bpf.Isa;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Interpretation;

public class InterpreterTests
{
    public static TheoryData<string> Cases => [.. InstructionCases.All.Select(@case => @case.Name)];

    [Fact]
    public void TheCasesHaveNamesOfTheirOwn() =>
        Assert.Equal(
            InstructionCases.All.Count,
            InstructionCases.All.Select(@case => @case.Name).Distinct(StringComparer.Ordinal).Count()
        );

    [Theory]
    [MemberData(nameof(Cases))]
    public void AnInstructionDoesWhatRfc9669Says(string name)
    {
        var @case = InstructionCases.Find(name);
        var program = Assembler.Assemble(@case.Text);
        if (@case.Result is { } result)
        {
            Assert.Equal(result, Interpreter.RunRaw(program.AsSpan(), [.. @case.Memory]));
        }
        else
        {
            Assert.Throws<InterpreterFaultException>(() =>
                Interpreter.RunRaw(program.AsSpan(), [.. @case.Memory], instructionLimit: 1000)
            );
        }
    }

    [Theory]
    [InlineData("r0 = *(u64 *)(r1 + 9)\nexit", 0, "8 bytes at memory + 9 of 16 bytes may not be read")]
    [InlineData("r3 = 0\n*(u8 *)(r3 + 3) = 1\nexit", 1, "1 bytes at address 3 (a null pointer?) may not be written")]
    [InlineData("*(u32 *)(r10 - 513) = 1\nexit", 0, "4 bytes at r10 - 513 may not be written")]
    [InlineData("r0 = 0\na: goto a", 1, "did not end within 100 instructions")]
    [InlineData("f: call f\nexit", 0, "call stack of 8 frames is too deep")]
    [InlineData("call 99\nexit", 0, "there is no helper 99")]
    public void AFaultNamesTheInstructionAndTheReason(string text, int slot, string reason)
    {
        var program = Assembler.Assemble(text);
        var error = Assert.Throws<InterpreterFaultException>(() =>
            Interpreter.RunRaw(program.AsSpan(), new byte[16], instructionLimit: 100)
        );
        Assert.Equal(slot, error.Fault.Slot);
        Assert.Contains(reason, error.Fault.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void AProgramThatIsNotWellFormedIsRejected()
    {
        var program = Assembler.Assemble("r1 = map[0] ll\nexit");
        var error = Assert.Throws<InputException>(() => Interpreter.RunRaw(program.AsSpan(), []));
        Assert.Equal("program: instruction 0: there is no map 0", error.Message);
    }

    [Theory]
    [InlineData("r1 = 1\nr2 = 2\nr3 = 3\nr4 = 4\nr5 = 5\ncall 7\nexit", 12345)]
    [InlineData("r1 = 1\nr2 = 2\nr3 = 3\nr4 = 4\nr5 = 5\nr6 = 7\ncallx r6\nexit", 12345)]
    public void AHelperGetsFiveArguments(string text, ulong result)
    {
        var helpers = new Dictionary<int, Func<ulong, ulong, ulong, ulong, ulong, ulong>>
        {
            [7] = (a, b, c, d, e) => (a * 10000) + (b * 1000) + (c * 100) + (d * 10) + e,
        };
        Assert.Equal(result, Interpreter.RunRaw(Assembler.Assemble(text).AsSpan(), [], helpers));
    }

    [Fact]
    public void CallxAlsoTakesItsRegisterFromTheImmediate()
    {
        var helpers = new Dictionary<int, Func<ulong, ulong, ulong, ulong, ulong, ulong>>
        {
            [7] = (_, _, _, _, _) => 42,
        };
        Instruction[] program =
        [
            .. Assembler.Assemble("r3 = 7"),
            new(Opcode.CallRegister, 0, 0, 0, 3),
            .. Assembler.Assemble("exit"),
        ];
        Assert.Equal(42UL, Interpreter.RunRaw(program, [], helpers));
    }

    [Fact]
    public void StackMemoryIsZeroAtEachEntryOfAFunction()
    {
        var program = Assembler.Assemble(
            """
            call f
            call f
            exit
            f: r0 = *(u64 *)(r10 - 8)
            *(u64 *)(r10 - 8) = 5
            exit
            """
        );
        Assert.Equal(0UL, Interpreter.RunRaw(program.AsSpan(), []));
    }

    [Fact]
    public void WhateverIsWellFormedRunsOrFaults()
    {
        var random = new Random(9669);
        var ended = 0;
        for (var round = 0; round < 2_000; round++)
        {
            var program = RandomPrograms.Next(random, 50);
            try
            {
                Interpreter.RunRaw(program, new byte[RandomPrograms.MemorySize], instructionLimit: 500);
                ended++;
            }
            catch (InterpreterFaultException fault)
            {
                Assert.InRange(fault.Fault.Slot, 0, program.Length - 1);
            }
        }
        Assert.InRange(ended, 1_000, 1_999);
    }
}
