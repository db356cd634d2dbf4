using RxStages.Bpf.Interpretation;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Tests.Compilation;

/// <summary>
/// Random XDP programs, compiled and interpreted, must not differ. <c>AgreementTests</c> has the same for programs that run
/// checked.
/// </summary>
public class DifferentialTests
{
    [Theory]
    [InlineData(100, 30, 40)]
    [InlineData(200, 150, 15)]
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
