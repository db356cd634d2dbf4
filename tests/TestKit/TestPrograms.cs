using System.Collections.Immutable;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;

namespace RxStages.TestKit;

/// <summary>XDP programs in assembler text.</summary>
public static class TestPrograms
{
    /// <summary>A linked program of assembler text.</summary>
    public static ProgramSpec Assemble(string text, string name = "test") => Of(Assembler.Assemble(text), name);

    /// <summary>A linked program; whatever it calls is a function of it.</summary>
    public static ProgramSpec Of(ImmutableArray<Instruction> instructions, string name = "test")
    {
        var starts = InstructionValidator.FindFunctions(instructions.AsSpan());
        return new ProgramSpec
        {
            Name = name,
            Section = "xdp",
            Instructions = instructions,
            Functions =
            [
                .. starts.Select(
                    (start, index) =>
                        new FunctionSpec(
                            index == 0 ? name : $"function{index}",
                            start,
                            (index + 1 < starts.Length ? starts[index + 1] : instructions.Length) - start,
                            IsGlobal: false,
                            BtfType: 0
                        )
                ),
            ],
        };
    }
}
