using RxStages.Bpf.Compilation;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Interpretation;
using RxStages.Bpf.Isa;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Interpretation;

public class AgreementTests
{
    [Fact]
    public void InterpreterAndCompilerDoTheSameWithRandomPrograms()
    {
        var random = new Random(9669);
        var compared = 0;
        for (var round = 0; round < 300; round++)
        {
            var program = RandomPrograms.Next(random, 60);
            var expectedMemory = new byte[RandomPrograms.MemorySize];
            random.NextBytes(expectedMemory);
            byte[] actualMemory = [.. expectedMemory];
            ulong? expected;
            try
            {
                expected = Interpreter.RunRaw(program, expectedMemory, instructionLimit: 2_000);
            }
            catch (InterpreterFaultException fault)
                when (fault.Reason.Contains("did not end", StringComparison.Ordinal))
            {
                continue;
            }
            catch (InterpreterFaultException)
            {
                expected = null;
            }
            ulong? actual;
            try
            {
                actual = IlCompiler.CompileChecked(program).Run(actualMemory);
            }
            catch (InputException)
            {
                actual = null;
            }
            Assert.True(expected == actual, $"round {round}: {expected:x} and {actual:x}\n{Text(program)}");
            Assert.Equal(expectedMemory, actualMemory);
            compared++;
        }
        Assert.InRange(compared, 150, 300);
    }

    private static string Text(Instruction[] program) =>
        string.Join('\n', Enumerable.Range(0, program.Length).Select(slot => Disassembler.Format(program, slot)));
}
