using System.Buffers.Binary;
using System.Reflection.Emit;
using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Compilation;

/// <summary>Emits arithmetic (RFC 9669, section 4.1 and 4.2).</summary>
internal sealed class AluEmitter(ILGenerator il, Code code, Registers registers)
{
    /// <summary>Emits the ALU or ALU64 instruction at a slot.</summary>
    public void Emit(int slot)
    {
        var instruction = code[slot];
        switch (instruction.AluOperation)
        {
            case AluOperation.Mov:
                Move(slot, instruction);
                break;
            case AluOperation.End:
                SwapBytes(slot, instruction);
                break;
            case AluOperation.Div or AluOperation.Mod:
                Divide(slot, instruction);
                break;
            default:
                Compute(slot, instruction);
                break;
        }
    }

    private void Move(int slot, Instruction instruction)
    {
        var is32 = instruction.Class == InstructionClass.Alu;
        var destination = instruction.Destination;
        if (!instruction.UsesSourceRegister)
        {
            if (is32)
            {
                il.Emit(OpCodes.Ldc_I4, instruction.Immediate);
                registers.Store32(slot, destination);
            }
            else
            {
                LoadConstant(instruction.Immediate);
                registers.Store64(slot, destination);
            }
            return;
        }
        if (instruction.Offset == 0)
        {
            if (is32 || registers.Is32Bit(instruction.Source) || registers.Keeps32Bits(slot))
            {
                registers.Load32(instruction.Source);
                registers.Store32(slot, destination);
            }
            else
            {
                registers.Load64(instruction.Source);
                registers.Store64(slot, destination);
            }
            return;
        }
        registers.Load32(instruction.Source);
        switch (instruction.Offset)
        {
            case 8:
                il.Emit(OpCodes.Conv_I1);
                break;
            case 16:
                il.Emit(OpCodes.Conv_I2);
                break;
            case 32 when !is32:
                break;
            default:
                throw code.Error(slot, $"no such move: sign extension from {instruction.Offset} bits");
        }
        if (is32)
        {
            registers.Store32(slot, destination);
        }
        else
        {
            il.Emit(OpCodes.Conv_I8);
            registers.Store64(slot, destination);
        }
    }

    private void SwapBytes(int slot, Instruction instruction)
    {
        // ALU: to little endian (a truncation, on the machines .NET runs on) or, with the source bit, to big endian;
        // ALU64: swap whatever the machine is.
        var swaps = instruction.Class == InstructionClass.Alu64 || instruction.UsesSourceRegister;
        var register = instruction.Destination;
        switch (instruction.Immediate)
        {
            case 16:
                registers.Load32(register);
                il.Emit(OpCodes.Conv_U2);
                if (swaps)
                {
                    Reverse(typeof(ushort));
                }
                registers.Store32(slot, register);
                break;
            case 32:
                registers.Load32(register);
                if (swaps)
                {
                    Reverse(typeof(uint));
                }
                registers.Store32(slot, register);
                break;
            case 64:
                registers.Load64(register);
                if (swaps)
                {
                    Reverse(typeof(ulong));
                }
                registers.Store64(slot, register);
                break;
            default:
                throw code.Error(slot, $"no such byte swap: {instruction.Immediate} bits");
        }
    }

    private void Reverse(Type type) =>
        il.Emit(OpCodes.Call, typeof(BinaryPrimitives).GetMethod(nameof(BinaryPrimitives.ReverseEndianness), [type])!);

    private void Compute(int slot, Instruction instruction)
    {
        var operation = instruction.AluOperation;
        // Of these operations the low half of the result depends on the low halves of the operands alone. A logical shift
        // right needs to know that the upper half is clear.
        var is32 =
            instruction.Class == InstructionClass.Alu
            || operation switch
            {
                AluOperation.Rsh => registers.Is32Bit(instruction.Destination)
                    && !instruction.UsesSourceRegister
                    && instruction.Immediate is >= 0 and < 32,
                AluOperation.Arsh => false,
                AluOperation.Lsh => registers.Keeps32Bits(slot)
                    && !instruction.UsesSourceRegister
                    && instruction.Immediate is >= 0 and < 32,
                _ => registers.Keeps32Bits(slot),
            };
        LoadDestination(instruction, is32);
        switch (operation)
        {
            case AluOperation.Neg:
                il.Emit(OpCodes.Neg);
                break;
            case AluOperation.Lsh:
                LoadShiftCount(instruction);
                il.Emit(OpCodes.Shl);
                break;
            case AluOperation.Rsh:
                LoadShiftCount(instruction);
                il.Emit(OpCodes.Shr_Un);
                break;
            case AluOperation.Arsh:
                LoadShiftCount(instruction);
                il.Emit(OpCodes.Shr);
                break;
            default:
                LoadOperand(instruction, is32);
                il.Emit(
                    operation switch
                    {
                        AluOperation.Add => OpCodes.Add,
                        AluOperation.Sub => OpCodes.Sub,
                        AluOperation.Mul => OpCodes.Mul,
                        AluOperation.Or => OpCodes.Or,
                        AluOperation.And => OpCodes.And,
                        AluOperation.Xor => OpCodes.Xor,
                        _ => throw code.Error(slot, $"no such instruction: opcode 0x{instruction.Opcode:x2}"),
                    }
                );
                break;
        }
        Store(slot, instruction, is32);
    }

    // Division never traps: x / 0 is 0, x % 0 is x, and the smallest number divided by -1 is itself (remainder 0), which
    // the machine's instruction and IL's would fault on.
    private void Divide(int slot, Instruction instruction)
    {
        var isModulo = instruction.AluOperation == AluOperation.Mod;
        var isSigned = instruction.Offset switch
        {
            0 => false,
            1 => true,
            _ => throw code.Error(slot, $"no such division: offset {instruction.Offset}"),
        };
        var is32 =
            instruction.Class == InstructionClass.Alu
            || (!isSigned && registers.Is32Bit(instruction.Destination) && OperandIs32Bit(instruction));
        if (!instruction.UsesSourceRegister)
        {
            DivideByConstant(instruction, is32, isModulo, isSigned);
            Store(slot, instruction, is32);
            return;
        }
        var byZero = il.DefineLabel();
        var byMinusOne = il.DefineLabel();
        var end = il.DefineLabel();
        LoadOperand(instruction, is32);
        il.Emit(OpCodes.Brfalse, byZero);
        if (isSigned)
        {
            LoadOperand(instruction, is32);
            LoadConstant(-1, is32);
            il.Emit(OpCodes.Beq, byMinusOne);
        }
        LoadDestination(instruction, is32);
        LoadOperand(instruction, is32);
        EmitDivision(isModulo, isSigned);
        il.Emit(OpCodes.Br, end);
        if (isSigned)
        {
            il.MarkLabel(byMinusOne);
            DivideByMinusOne(instruction, is32, isModulo);
            il.Emit(OpCodes.Br, end);
        }
        il.MarkLabel(byZero);
        DivideByZero(instruction, is32, isModulo);
        il.MarkLabel(end);
        Store(slot, instruction, is32);
    }

    private void DivideByConstant(Instruction instruction, bool is32, bool isModulo, bool isSigned)
    {
        switch (instruction.Immediate)
        {
            case 0:
                DivideByZero(instruction, is32, isModulo);
                break;
            case -1 when isSigned:
                DivideByMinusOne(instruction, is32, isModulo);
                break;
            default:
                LoadDestination(instruction, is32);
                LoadOperand(instruction, is32);
                EmitDivision(isModulo, isSigned);
                break;
        }
    }

    private void DivideByZero(Instruction instruction, bool is32, bool isModulo)
    {
        if (isModulo)
        {
            LoadDestination(instruction, is32);
        }
        else
        {
            LoadConstant(0, is32);
        }
    }

    private void DivideByMinusOne(Instruction instruction, bool is32, bool isModulo)
    {
        if (isModulo)
        {
            LoadConstant(0, is32);
        }
        else
        {
            LoadDestination(instruction, is32);
            il.Emit(OpCodes.Neg);
        }
    }

    private void EmitDivision(bool isModulo, bool isSigned) =>
        il.Emit(
            (isModulo, isSigned) switch
            {
                (false, false) => OpCodes.Div_Un,
                (false, true) => OpCodes.Div,
                (true, false) => OpCodes.Rem_Un,
                (true, true) => OpCodes.Rem,
            }
        );

    private bool OperandIs32Bit(Instruction instruction) =>
        instruction.UsesSourceRegister ? registers.Is32Bit(instruction.Source) : instruction.Immediate >= 0;

    private void LoadDestination(Instruction instruction, bool is32)
    {
        if (is32)
        {
            registers.Load32(instruction.Destination);
        }
        else
        {
            registers.Load64(instruction.Destination);
        }
    }

    private void LoadOperand(Instruction instruction, bool is32)
    {
        if (!instruction.UsesSourceRegister)
        {
            LoadConstant(instruction.Immediate, is32);
        }
        else if (is32)
        {
            registers.Load32(instruction.Source);
        }
        else
        {
            registers.Load64(instruction.Source);
        }
    }

    // IL leaves a shift by the width or more undefined; eBPF masks the count.
    private void LoadShiftCount(Instruction instruction)
    {
        var mask = instruction.Class == InstructionClass.Alu ? 31 : 63;
        if (instruction.UsesSourceRegister)
        {
            registers.Load32(instruction.Source);
            il.Emit(OpCodes.Ldc_I4, mask);
            il.Emit(OpCodes.And);
        }
        else
        {
            il.Emit(OpCodes.Ldc_I4, instruction.Immediate & mask);
        }
    }

    private void LoadConstant(int value, bool is32 = false)
    {
        if (is32)
        {
            il.Emit(OpCodes.Ldc_I4, value);
        }
        else
        {
            il.Emit(OpCodes.Ldc_I8, (long)value);
        }
    }

    private void Store(int slot, Instruction instruction, bool is32)
    {
        if (is32)
        {
            registers.Store32(slot, instruction.Destination);
        }
        else
        {
            registers.Store64(slot, instruction.Destination);
        }
    }
}
