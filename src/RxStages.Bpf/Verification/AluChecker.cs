using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Verification;

/// <summary>Checks and carries out ALU instructions and wide loads, after the kernel's <c>check_alu_op</c>.</summary>
internal sealed class AluChecker(VerifierEnvironment environment)
{
    private readonly PointerArithmetic _pointers = new(environment);

    /// <summary>An ALU or ALU64 instruction.</summary>
    public void Check(Instruction instruction)
    {
        switch (instruction.AluOperation)
        {
            case AluOperation.Mov:
                CheckMove(instruction);
                break;
            case AluOperation.End:
                CheckEndian(instruction);
                break;
            case AluOperation.Neg:
                CheckNegate(instruction);
                break;
            default:
                CheckBinary(instruction);
                break;
        }
    }

    /// <summary>A wide load: a constant, a map, or the address of a map's value.</summary>
    public void CheckWideLoad(Instruction instruction)
    {
        ref var destination = ref environment.Registers[instruction.Destination];
        var second = (uint)environment.Code[environment.Slot + 1].Immediate;
        switch (instruction.Source)
        {
            case PseudoLoad.Constant:
                destination = RegisterState.Constant(((ulong)second << 32) | (uint)instruction.Immediate);
                break;
            case PseudoLoad.MapIndex:
                destination = RegisterState.Pointer(RegisterType.MapPointer);
                destination.Map = instruction.Immediate;
                break;
            case PseudoLoad.MapIndexValue:
                destination = AddressOfMapValue(instruction.Immediate, second);
                break;
            case PseudoLoad.Function:
                destination = AddressOfFunction(environment.Flow.FunctionOf(instruction.CallTarget(environment.Slot)));
                break;
            default:
                throw environment.Reject($"a wide load of kind {instruction.Source} is not supported");
        }
    }

    private RegisterState AddressOfFunction(int index)
    {
        if (environment.Flow.Functions[index].IsGlobal)
        {
            throw environment.Reject(
                $"the address of function '{environment.Flow.Functions[index].Name}' is taken, which is global",
                "declare functions that are called back 'static'"
            );
        }
        var function = RegisterState.Pointer(RegisterType.Function);
        function.Function = index;
        return function;
    }

    private RegisterState AddressOfMapValue(int index, uint offset)
    {
        var map = environment.Maps[index];
        if (map.Type != Objects.MapType.Array || map.MaxEntries != 1)
        {
            throw environment.Reject(
                $"the address of the value of map '{map.Name}' is taken, which only an array of one entry has"
            );
        }
        if (offset >= map.ValueSize)
        {
            throw environment.Reject($"offset {offset} is behind the {map.ValueSize} bytes of map '{map.Name}'");
        }
        var value = RegisterState.Pointer(RegisterType.MapValue);
        value.Map = index;
        value.Offset = (int)offset;
        return value;
    }

    private void CheckMove(Instruction instruction)
    {
        var is32 = instruction.Class == InstructionClass.Alu;
        ref var destination = ref environment.Registers[instruction.Destination];
        if (!instruction.UsesSourceRegister)
        {
            destination = RegisterState.Constant(
                is32 ? (uint)instruction.Immediate : (ulong)(long)instruction.Immediate
            );
            return;
        }
        ref var source = ref environment.Read(instruction.Source);
        if (!is32 && instruction.Offset == 0)
        {
            LinkCopy(ref source);
            destination = source;
            return;
        }
        if (!source.IsScalar)
        {
            // Part of a pointer: a privileged loader may have that, as a number.
            destination = RegisterState.Unknown;
            if (is32)
            {
                destination.Bounds.ZeroExtend(4);
            }
            return;
        }
        var bytes = instruction.Offset == 0 ? 4 : instruction.Offset / 8;
        var greatestKept = instruction.Offset == 0 ? uint.MaxValue : (1ul << (instruction.Offset - 1)) - 1;
        var isKept = source.Bounds.Max <= greatestKept;
        if (isKept)
        {
            LinkCopy(ref source);
        }
        destination = source;
        if (!isKept)
        {
            destination.ClearId();
        }
        if (instruction.Offset != 0)
        {
            destination.Bounds.SignExtend(bytes);
        }
        if (is32)
        {
            destination.Bounds.ZeroExtend(4);
        }
    }

    /// <summary>Gives a number that is about to be copied an id, so that what is learnt of one copy is known of the other.</summary>
    public void LinkCopy(ref RegisterState source)
    {
        if (source.IsScalar && source.Id == 0 && !source.Bounds.IsConstant)
        {
            source.Id = environment.NewId();
        }
    }

    private void CheckEndian(Instruction instruction)
    {
        ref var destination = ref environment.Read(instruction.Destination);
        if (!destination.IsScalar)
        {
            destination = RegisterState.Unknown;
        }
        // ALU with the register bit: to big endian; ALU64: always swaps.
        var reverses = instruction.Class == InstructionClass.Alu64 || instruction.UsesSourceRegister;
        destination.ClearId();
        ScalarArithmetic.ConvertEndian(ref destination.Bounds, instruction.Immediate / 8, reverses);
    }

    private void CheckNegate(Instruction instruction)
    {
        ref var destination = ref environment.Read(instruction.Destination);
        if (!destination.IsScalar)
        {
            destination = RegisterState.Unknown;
        }
        destination.ClearId();
        ScalarArithmetic.Apply(
            AluOperation.Neg,
            instruction.Class == InstructionClass.Alu,
            ref destination.Bounds,
            default
        );
    }

    private void CheckBinary(Instruction instruction)
    {
        ref var destination = ref environment.Read(instruction.Destination);
        var operand = instruction.UsesSourceRegister
            ? environment.Read(instruction.Source)
            : RegisterState.Constant((ulong)(long)instruction.Immediate);
        if (destination.IsPointer || operand.IsPointer)
        {
            _pointers.Check(instruction, ref destination, operand);
            return;
        }
        var is32 = instruction.Class == InstructionClass.Alu;
        ScalarArithmetic.Apply(instruction.AluOperation, is32, ref destination.Bounds, operand.Bounds);
        if (
            !is32
            && destination.Id != 0
            && operand.Bounds.IsConstant
            && TryOffset(instruction, destination, operand) is { } offset
        )
        {
            // Still so much more than the registers it was copied from or to.
            destination.Id |= RegisterState.AddConst;
            destination.Offset = offset;
        }
        else
        {
            destination.ClearId();
        }
    }

    /// <summary>How much more a number is than those it is linked to, after a constant was added or subtracted.</summary>
    private static int? TryOffset(Instruction instruction, in RegisterState destination, in RegisterState constant)
    {
        var change = (Int128)(long)constant.Bounds.Bits.Value;
        var offset = instruction.AluOperation switch
        {
            AluOperation.Add => destination.Offset + change,
            AluOperation.Sub => destination.Offset - change,
            _ => Int128.MaxValue,
        };
        return offset > int.MinValue && offset < int.MaxValue ? (int)offset : null;
    }
}
