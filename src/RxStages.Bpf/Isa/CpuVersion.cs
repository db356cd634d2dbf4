namespace RxStages.Bpf.Isa;

/// <summary>
/// The CPU version that a compiler must have been told (<c>clang -mcpu=</c>) to make an instruction: each version adds
/// instructions to the one before.
/// </summary>
public static class CpuVersion
{
    /// <summary>The lowest version that has every instruction of a program, 1 to 4.</summary>
    public static int Of(ReadOnlySpan<Instruction> program)
    {
        var version = 1;
        for (var slot = 0; slot < program.Length; slot += program[slot].IsWide ? 2 : 1)
        {
            version = Math.Max(version, Of(program[slot]));
        }
        return version;
    }

    /// <summary>The lowest version that has the instruction, 1 to 4.</summary>
    public static int Of(Instruction instruction) =>
        instruction.Class switch
        {
            InstructionClass.Alu or InstructionClass.Alu64 => OfAlu(instruction),
            InstructionClass.Jmp32 => instruction.JumpOperation == JumpOperation.Ja ? 4 : 3,
            InstructionClass.Jmp => instruction.JumpOperation
                is JumpOperation.Jlt
                    or JumpOperation.Jle
                    or JumpOperation.Jslt
                    or JumpOperation.Jsle
                ? 2
                : 1,
            InstructionClass.Ldx => instruction.MemoryMode == MemoryMode.MemSx ? 4 : 1,
            // Version 1 has atomic addition alone.
            InstructionClass.Stx => instruction.MemoryMode == MemoryMode.Atomic && instruction.Immediate != 0 ? 3 : 1,
            _ => 1,
        };

    private static int OfAlu(Instruction instruction) =>
        (instruction.Class, instruction.AluOperation) switch
        {
            (InstructionClass.Alu64, AluOperation.End) => 4,
            (_, AluOperation.End) => 1,
            (_, AluOperation.Mov or AluOperation.Div or AluOperation.Mod) when instruction.Offset != 0 => 4,
            (InstructionClass.Alu, _) => 3,
            _ => 1,
        };
}
