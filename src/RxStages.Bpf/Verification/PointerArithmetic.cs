using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Verification;

/// <summary>
/// Checks and carries out arithmetic on pointers, after the kernel's <c>adjust_ptr_min_max_vals</c> for a privileged loader.
/// </summary>
internal sealed class PointerArithmetic(VerifierEnvironment environment)
{
    /// <summary>Offsets stay below this, either way (<c>BPF_MAX_VAR_OFF</c>), so that adding up a few of them cannot overflow.</summary>
    public const long MaxOffset = 1 << 29;

    /// <summary>An ALU instruction with two operands, of which one or both are pointers.</summary>
    public void Check(Instruction instruction, ref RegisterState destination, in RegisterState operand)
    {
        var operation = instruction.AluOperation;
        if (destination.IsPointer && operand.IsPointer)
        {
            if (operation != AluOperation.Sub)
            {
                throw environment.Reject(
                    $"two pointers are combined with '{Symbol(operation)}'; only their difference makes sense"
                );
            }
            MakeNumber(instruction, ref destination);
            return;
        }
        // What is added decides where the pointer points: it matters.
        if (instruction.UsesSourceRegister)
        {
            environment.Precision.Mark(destination.IsPointer ? instruction.Source : instruction.Destination);
        }
        if (instruction.Class != InstructionClass.Alu64)
        {
            if (operation != AluOperation.Sub)
            {
                throw environment.Reject(
                    $"32-bit arithmetic on {(destination.IsPointer ? destination : operand).Describe()}",
                    "pointers have 64 bits: keep them in 64-bit variables"
                );
            }
            MakeNumber(instruction, ref destination);
            return;
        }
        if (destination.IsPointer)
        {
            Offset(operation, ref destination, destination, operand.Bounds, isReversed: false);
        }
        else
        {
            Offset(operation, ref destination, operand, destination.Bounds, isReversed: true);
        }
    }

    private static void MakeNumber(Instruction instruction, ref RegisterState destination)
    {
        destination = RegisterState.Unknown;
        if (instruction.Class == InstructionClass.Alu)
        {
            destination.Bounds.ZeroExtend(4);
        }
    }

    private void Offset(
        AluOperation operation,
        ref RegisterState destination,
        RegisterState pointer,
        ScalarBounds offset,
        bool isReversed
    )
    {
        CheckIsMovable(operation, pointer, offset);
        CheckOffset(pointer, offset);
        CheckOffset(pointer, pointer.Bounds);
        switch (operation)
        {
            case AluOperation.Add:
                destination = Add(pointer, offset);
                break;
            case AluOperation.Sub when isReversed:
                throw environment.Reject($"{pointer.Describe()} is subtracted from a number");
            case AluOperation.Sub when pointer.Type == RegisterType.Stack:
                throw environment.Reject(
                    "a number is subtracted from a pointer to the stack",
                    "add a negative number instead"
                );
            case AluOperation.Sub:
                destination = Subtract(pointer, offset);
                break;
            default:
                throw environment.Reject(
                    $"'{Symbol(operation)}' on {pointer.Describe()}: pointers can only be moved by adding and subtracting"
                );
        }
        CheckOffset(destination, destination.Bounds);
    }

    private void CheckIsMovable(AluOperation operation, in RegisterState pointer, in ScalarBounds offset)
    {
        if (pointer.MayBeNull)
        {
            throw environment.Reject(
                $"arithmetic on {pointer.Describe()}",
                "compare it with NULL first, and go on only where it is not"
            );
        }
        var isMovable =
            pointer.Kind
                is RegisterType.Context
                    or RegisterType.MapKey
                    or RegisterType.MapValue
                    or RegisterType.Stack
                    or RegisterType.Packet
                    or RegisterType.PacketMeta
                    or RegisterType.Memory
                    or RegisterType.Btf
                    or RegisterType.Dynptr
            || (operation == AluOperation.Add && offset.IsZero && pointer.Type == RegisterType.MapPointer);
        if (!isMovable)
        {
            throw environment.Reject(
                $"arithmetic on {pointer.Describe()}, which cannot be moved",
                pointer.Type == RegisterType.PacketEnd
                    ? "move the other pointer instead: compare `data + length` with data_end"
                    : null
            );
        }
    }

    /// <summary>The kernel's <c>check_reg_sane_offset</c>.</summary>
    private void CheckOffset(in RegisterState pointer, in ScalarBounds offset)
    {
        if (offset.SignedMin == long.MinValue)
        {
            throw environment.Reject(
                $"{pointer.Describe()} is moved by a number without a known lower bound",
                "use an unsigned variable, and bound it with a comparison or '&'"
            );
        }
        if (offset.SignedMin is >= MaxOffset or <= -MaxOffset)
        {
            throw environment.Reject($"{pointer.Describe()} is moved by {offset}, out of any bounds");
        }
        if (pointer.Offset is >= (int)MaxOffset or <= (int)-MaxOffset)
        {
            throw environment.Reject($"{pointer.Describe()} is moved by {pointer.Offset}, out of any bounds");
        }
    }

    private RegisterState Add(in RegisterState pointer, in ScalarBounds offset)
    {
        var result = pointer;
        if (offset.IsConstant && Fits(pointer.Offset + (long)offset.Bits.Value))
        {
            MoveTo(ref result, (int)(pointer.Offset + (long)offset.Bits.Value));
            return result;
        }
        ScalarArithmetic.Apply(AluOperation.Add, is32: false, ref result.Bounds, offset);
        // Not the same base as before: packets have another id, of which nothing is proved yet.
        NewBase(ref result);
        return result;
    }

    private RegisterState Subtract(in RegisterState pointer, in ScalarBounds offset)
    {
        var result = pointer;
        if (offset.IsConstant && Fits(pointer.Offset - (long)offset.Bits.Value))
        {
            MoveTo(ref result, (int)(pointer.Offset - (long)offset.Bits.Value));
            return result;
        }
        ScalarArithmetic.Apply(AluOperation.Sub, is32: false, ref result.Bounds, offset);
        NewBase(ref result);
        return result;
    }

    private static void MoveTo(ref RegisterState pointer, int offset)
    {
        if (pointer.Range < 0 && offset != pointer.Offset)
        {
            // That it lies at or behind the packet's end was said of this very address, not of its base.
            pointer.Range = 0;
        }
        pointer.Offset = offset;
    }

    private void NewBase(ref RegisterState pointer)
    {
        if (pointer.IsPacket)
        {
            pointer.Id = environment.NewId();
            pointer.Range = 0;
        }
    }

    private static bool Fits(long offset) => offset == (int)offset;

    private static string Symbol(AluOperation operation) =>
        operation switch
        {
            AluOperation.Add => "+",
            AluOperation.Sub => "-",
            AluOperation.Mul => "*",
            AluOperation.Div => "/",
            AluOperation.Or => "|",
            AluOperation.And => "&",
            AluOperation.Lsh => "<<",
            AluOperation.Rsh or AluOperation.Arsh => ">>",
            AluOperation.Mod => "%",
            _ => "^",
        };
}
