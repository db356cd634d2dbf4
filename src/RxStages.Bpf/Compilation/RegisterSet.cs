using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Compilation;

/// <summary>Which registers an instruction reads and writes, as bit masks (bit n is register n).</summary>
internal static class RegisterSet
{
    /// <summary>How many registers there are, r10 included.</summary>
    public const int Count = 11;

    /// <summary>The frame pointer: an address that is computed where it is needed, never a variable.</summary>
    public const int FramePointer = 10;

    /// <summary>r1 to r<paramref name="count"/>.</summary>
    public static int Arguments(int count) => ((1 << count) - 1) << 1;

    /// <summary>The registers that an instruction reads, r10 left out; a call's arguments are for the caller to add.</summary>
    public static int Reads(Instruction instruction)
    {
        var destination = 1 << instruction.Destination;
        var source = 1 << instruction.Source;
        var mask = instruction.Class switch
        {
            InstructionClass.Alu or InstructionClass.Alu64 => instruction.AluOperation switch
            {
                AluOperation.Mov => instruction.UsesSourceRegister ? source : 0,
                AluOperation.Neg or AluOperation.End => destination,
                _ => destination | (instruction.UsesSourceRegister ? source : 0),
            },
            InstructionClass.Ldx => source,
            InstructionClass.St => destination,
            InstructionClass.Stx when instruction.MemoryMode == MemoryMode.Atomic => (
                (AtomicOperation)instruction.Immediate
            ) switch
            {
                AtomicOperation.LoadAcquire => source,
                AtomicOperation.CompareExchange => destination | source | 1,
                _ => destination | source,
            },
            InstructionClass.Stx => destination | source,
            InstructionClass.Jmp or InstructionClass.Jmp32 => instruction.JumpOperation switch
            {
                JumpOperation.Ja or JumpOperation.Call or JumpOperation.Jcond => 0,
                JumpOperation.Exit => 1,
                _ => destination | (instruction.UsesSourceRegister ? source : 0),
            },
            _ => 0,
        };
        return mask & ~(1 << FramePointer);
    }

    /// <summary>The one register that an instruction writes, or -1.</summary>
    public static int Writes(Instruction instruction) =>
        instruction.Class switch
        {
            InstructionClass.Alu or InstructionClass.Alu64 or InstructionClass.Ldx or InstructionClass.Ld =>
                instruction.Destination,
            InstructionClass.Stx when instruction.MemoryMode == MemoryMode.Atomic => (
                (AtomicOperation)instruction.Immediate
            ) switch
            {
                AtomicOperation.LoadAcquire => instruction.Destination,
                AtomicOperation.CompareExchange => 0,
                AtomicOperation.StoreRelease => -1,
                var operation => operation.HasFlag(AtomicOperation.Fetch) ? instruction.Source : -1,
            },
            InstructionClass.Jmp when instruction.JumpOperation == JumpOperation.Call => 0,
            _ => -1,
        };
}
