using System.Buffers.Binary;

namespace RxStages.Bpf.Isa;

/// <summary>What arithmetic instructions compute and when jumps are taken, for every operand (RFC 9669, sections 4.1 to 4.3).</summary>
public static class Arithmetic
{
    /// <summary>The value that an ALU or ALU64 instruction leaves in its destination register.</summary>
    /// <param name="instruction">A valid instruction.</param>
    /// <param name="destination">What the destination register holds.</param>
    /// <param name="operand">What the source register holds, or the immediate, sign-extended.</param>
    public static ulong Compute(Instruction instruction, ulong destination, ulong operand)
    {
        if (instruction.AluOperation == AluOperation.End)
        {
            return SwapBytes(instruction, destination);
        }
        if (instruction.Class == InstructionClass.Alu64)
        {
            return Compute(instruction, destination, operand, shiftMask: 63);
        }
        // 32-bit operations are the 64-bit ones of operands that are extended as the operation sees them.
        var isSigned = IsSigned(instruction);
        var (left, right) = isSigned
            ? ((ulong)(int)destination, (ulong)(int)operand)
            : ((uint)destination, (uint)operand);
        return (uint)Compute(instruction, left, right, shiftMask: 31);
    }

    /// <summary>Whether a conditional jump is taken.</summary>
    /// <param name="instruction">A valid conditional jump.</param>
    /// <param name="destination">What the destination register holds.</param>
    /// <param name="operand">What the source register holds, or the immediate, sign-extended.</param>
    public static bool IsTaken(Instruction instruction, ulong destination, ulong operand)
    {
        var (left, right) = (destination, operand);
        if (instruction.Class == InstructionClass.Jmp32)
        {
            // Sign-extended values compare as the 32-bit ones do, signed and unsigned.
            (left, right) = ((ulong)(int)left, (ulong)(int)right);
        }
        return instruction.JumpOperation switch
        {
            JumpOperation.Jeq => left == right,
            JumpOperation.Jne => left != right,
            JumpOperation.Jgt => left > right,
            JumpOperation.Jge => left >= right,
            JumpOperation.Jlt => left < right,
            JumpOperation.Jle => left <= right,
            JumpOperation.Jset => (left & right) != 0,
            JumpOperation.Jsgt => (long)left > (long)right,
            JumpOperation.Jsge => (long)left >= (long)right,
            JumpOperation.Jslt => (long)left < (long)right,
            JumpOperation.Jsle => (long)left <= (long)right,
            _ => throw new ArgumentOutOfRangeException(nameof(instruction), "not a conditional jump"),
        };
    }

    private static bool IsSigned(Instruction instruction) =>
        instruction.AluOperation switch
        {
            AluOperation.Div or AluOperation.Mod => instruction.Offset == 1,
            AluOperation.Arsh => true,
            _ => false,
        };

    private static ulong Compute(Instruction instruction, ulong left, ulong right, ulong shiftMask)
    {
        var isSigned = IsSigned(instruction);
        var count = (int)(right & shiftMask);
        return instruction.AluOperation switch
        {
            AluOperation.Add => left + right,
            AluOperation.Sub => left - right,
            AluOperation.Mul => left * right,
            AluOperation.Div when right == 0 => 0,
            // The quotient of the minimum and -1 overflows to the minimum; the hardware would trap.
            AluOperation.Div when isSigned && right == ulong.MaxValue => 0 - left,
            AluOperation.Div => isSigned ? (ulong)((long)left / (long)right) : left / right,
            AluOperation.Mod when right == 0 => left,
            AluOperation.Mod when isSigned && right == ulong.MaxValue => 0,
            AluOperation.Mod => isSigned ? (ulong)((long)left % (long)right) : left % right,
            AluOperation.Or => left | right,
            AluOperation.And => left & right,
            AluOperation.Xor => left ^ right,
            AluOperation.Lsh => left << count,
            AluOperation.Rsh => left >> count,
            AluOperation.Arsh => (ulong)((long)left >> count),
            AluOperation.Neg => 0 - left,
            AluOperation.Mov => SignExtend(instruction.Offset, right),
            _ => throw new ArgumentOutOfRangeException(nameof(instruction), "not an arithmetic instruction"),
        };
    }

    private static ulong SignExtend(int bits, ulong value) =>
        bits switch
        {
            8 => (ulong)(sbyte)value,
            16 => (ulong)(short)value,
            32 => (ulong)(int)value,
            _ => value,
        };

    private static ulong SwapBytes(Instruction instruction, ulong value)
    {
        // The machine is little endian: to little endian only cuts off, to big endian and bswap swap.
        var swaps = instruction.Class == InstructionClass.Alu64 || instruction.UsesSourceRegister;
        return instruction.Immediate switch
        {
            16 => swaps ? BinaryPrimitives.ReverseEndianness((ushort)value) : (ushort)value,
            32 => swaps ? BinaryPrimitives.ReverseEndianness((uint)value) : (uint)value,
            _ => swaps ? BinaryPrimitives.ReverseEndianness(value) : value,
        };
    }
}
