using RxStages.Bpf.Compilation;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Interpretation;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Compilation;

/// <summary>Random programs, compiled and interpreted, must not differ: not in r0, not in memory, not in where they fault.</summary>
public class DifferentialTests
{
    private const int InterpretedInstructions = 20_000;

    [Theory]
    [InlineData(1, 10, 400)]
    [InlineData(2, 60, 200)]
    [InlineData(3, 300, 40)]
    public void CheckedProgramsDoWhatInterpretedOnesDo(int seed, int length, int programs)
    {
        var random = new Random(seed);
        var ended = 0;
        for (var round = 0; round < programs; round++)
        {
            var program = RandomPrograms.Next(random, length);
            var memory = new byte[RandomPrograms.MemorySize];
            random.NextBytes(memory);
            var compiledMemory = memory.ToArray();
            ulong? expected = null;
            var place = "";
            try
            {
                expected = Interpreter.RunRaw(program, memory, helpers: null, InterpretedInstructions);
                ended++;
            }
            catch (InputException fault)
            {
                place = fault.Place;
                if (fault.Message.Contains(InterpretedInstructions.ToString(), StringComparison.Ordinal))
                {
                    continue;
                }
            }
            var compiled = IlCompiler.CompileChecked(program);
            if (expected is not null)
            {
                // Addresses differ between runs of neither: the memory is not moved, but is not the same array.
                Assert.Equal(expected, compiled.Run(compiledMemory));
                Assert.Equal(memory, compiledMemory);
            }
            else
            {
                Assert.Equal(place, Assert.ThrowsAny<InputException>(() => compiled.Run(compiledMemory)).Place);
            }
        }
        Assert.True(ended > programs / 10, $"only {ended} programs came to an end");
    }

    [Theory]
    [InlineData(100, 30, 60)]
    [InlineData(200, 150, 30)]
    public void CompiledXdpProgramsDoWhatInterpretedOnesDo(int seed, int length, int programs)
    {
        for (var round = 0; round < programs; round++)
        {
            var instructions = Assembler.Assemble(RandomXdpPrograms.Next(seed + round, length));
            var spec = new ProgramSpec
            {
                Name = "random",
                Section = "xdp",
                Instructions = instructions,
                Functions = [new FunctionSpec("random", 0, instructions.Length, IsGlobal: true, BtfType: 0)],
            };
            using var interpreted = new InterpretedProgram(spec, []);
            using var compiled = Trusted.Compile(instructions);
            using var vector = new TestVector([1], new byte[60], [1, 2, 3, 4, 5, 6, 7, 8]);
            Assert.Equal(vector.Run(interpreted), vector.Run(compiled));
        }
    }
}
