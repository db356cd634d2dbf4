using System.Reflection.Emit;
using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Compilation;

/// <summary>Emits the comparison and the branch of conditional jumps (RFC 9669, section 4.3).</summary>
internal sealed class JumpEmitter(ILGenerator il, Code code, Registers registers, MethodFrame frame)
{
    /// <summary>Emits a branch to <paramref name="target"/> that is taken when the jump at <paramref name="slot"/> is.</summary>
    public void Emit(int slot, Label target)
    {
        var instruction = code[slot];
        if (instruction.JumpOperation == JumpOperation.Jcond)
        {
            frame.MayGoto(target);
            return;
        }
        // Numbers without upper bits compare alike in 32 bits; signed they are both positive, so compare unsigned then.
        var fits =
            registers.Is32Bit(instruction.Destination)
            && (instruction.UsesSourceRegister ? registers.Is32Bit(instruction.Source) : instruction.Immediate >= 0);
        var is32 = instruction.Class == InstructionClass.Jmp32;
        var isSigned = is32 || !fits;
        is32 |= fits;
        Load(instruction.Destination, is32);
        if (instruction.UsesSourceRegister)
        {
            Load(instruction.Source, is32);
        }
        else if (is32)
        {
            il.Emit(OpCodes.Ldc_I4, instruction.Immediate);
        }
        else
        {
            il.Emit(OpCodes.Ldc_I8, (long)instruction.Immediate);
        }
        if (instruction.JumpOperation == JumpOperation.Jset)
        {
            il.Emit(OpCodes.And);
            il.Emit(OpCodes.Brtrue, target);
            return;
        }
        il.Emit(
            instruction.JumpOperation switch
            {
                JumpOperation.Jeq => OpCodes.Beq,
                JumpOperation.Jne => OpCodes.Bne_Un,
                JumpOperation.Jgt => OpCodes.Bgt_Un,
                JumpOperation.Jge => OpCodes.Bge_Un,
                JumpOperation.Jlt => OpCodes.Blt_Un,
                JumpOperation.Jle => OpCodes.Ble_Un,
                JumpOperation.Jsgt => isSigned ? OpCodes.Bgt : OpCodes.Bgt_Un,
                JumpOperation.Jsge => isSigned ? OpCodes.Bge : OpCodes.Bge_Un,
                JumpOperation.Jslt => isSigned ? OpCodes.Blt : OpCodes.Blt_Un,
                JumpOperation.Jsle => isSigned ? OpCodes.Ble : OpCodes.Ble_Un,
                _ => throw code.Error(slot, $"no such jump: opcode 0x{instruction.Opcode:x2}"),
            },
            target
        );
    }

    private void Load(int register, bool is32)
    {
        if (is32)
        {
            registers.Load32(register);
        }
        else
        {
            registers.Load64(register);
        }
    }
}
