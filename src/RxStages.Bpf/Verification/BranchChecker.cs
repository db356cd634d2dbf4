using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Verification;

/// <summary>
/// Checks conditional jumps, after the kernel's <c>check_cond_jmp_op</c>: decides those that can go only one way; else goes
/// both, and notes on each what the condition says of numbers, packet pointers and null.
/// </summary>
internal sealed class BranchChecker(VerifierEnvironment environment)
{
    /// <summary>Packet offsets beyond this prove nothing (<c>MAX_PACKET_OFF</c>).</summary>
    public const int MaxPacketOffset = 0xffff;

    /// <summary>Follows a conditional jump. The way not followed now, if both can be gone, is put aside.</summary>
    /// <returns>The slot to go on at.</returns>
    public int Check(Instruction instruction)
    {
        ref var left = ref environment.Read(instruction.Destination);
        var operand = instruction.UsesSourceRegister
            ? environment.Read(instruction.Source)
            : RegisterState.Constant((ulong)(long)instruction.Immediate);
        var is32 = instruction.Class == InstructionClass.Jmp32;
        var operation = instruction.JumpOperation;

        if (left.IsScalar && operand.IsScalar)
        {
            return CompareNumbers(instruction, operation, is32, ref left, operand);
        }
        if (!is32 && DecidePointers(operation, left, operand) is { } isTaken)
        {
            MarkOperands(instruction);
            return Follow(instruction, isTaken);
        }
        var taken = GoBothWays(instruction, default);
        if (!is32)
        {
            LearnOfPointers(instruction, operation, taken);
        }
        return environment.Slot + 1;
    }

    private int Follow(Instruction instruction, bool isTaken)
    {
        environment.Facts[environment.Slot].Branch |= isTaken ? BranchOutcome.Taken : BranchOutcome.FallsThrough;
        return isTaken ? instruction.JumpTarget(environment.Slot) : environment.Slot + 1;
    }

    private VerifierState GoBothWays(Instruction instruction, LinkedRegisters linked)
    {
        environment.Facts[environment.Slot].Branch = BranchOutcome.Both;
        environment.Record(linked);
        return environment.PushBranch(instruction.JumpTarget(environment.Slot));
    }

    /// <summary>Which way it goes depends on the numbers: they matter.</summary>
    private void MarkOperands(Instruction instruction)
    {
        environment.Precision.Mark(instruction.Destination);
        if (instruction.UsesSourceRegister)
        {
            environment.Precision.Mark(instruction.Source);
        }
    }

    private int CompareNumbers(
        Instruction instruction,
        JumpOperation operation,
        bool is32,
        ref RegisterState left,
        in RegisterState operand
    )
    {
        if (ScalarComparison.Decide(operation, is32, left.Bounds, operand.Bounds) is { } isTaken)
        {
            MarkOperands(instruction);
            return Follow(instruction, isTaken);
        }
        if (instruction.UsesSourceRegister && instruction.Source == instruction.Destination)
        {
            // Nothing to learn from comparing a number with itself.
            GoBothWays(instruction, default);
            return environment.Slot + 1;
        }
        var (a, b) = (left.Bounds, operand.Bounds);
        var (takenA, takenB) = (a, b);
        var canBeTaken = ScalarComparison.TryAssume(operation, holds: true, is32, ref takenA, ref takenB);
        var canFallThrough = ScalarComparison.TryAssume(operation, holds: false, is32, ref a, ref b);
        if (canBeTaken != canFallThrough)
        {
            MarkOperands(instruction);
            return Follow(instruction, canBeTaken);
        }
        var linked = CollectLinked(instruction);
        var other = GoBothWays(instruction, linked);
        Learn(environment.State, instruction, a, b, linked);
        Learn(other, instruction, takenA, takenB, linked);
        return environment.Slot + 1;
    }

    private static void Learn(
        VerifierState state,
        Instruction instruction,
        in ScalarBounds left,
        in ScalarBounds right,
        LinkedRegisters linked
    )
    {
        state.Registers[instruction.Destination].Bounds = left;
        if (instruction.UsesSourceRegister)
        {
            state.Registers[instruction.Source].Bounds = right;
            ShareWithLinked(state, state.Registers[instruction.Source], linked);
        }
        ShareWithLinked(state, state.Registers[instruction.Destination], linked);
    }

    /// <summary>The registers and spilled registers that are linked to an operand (<c>collect_linked_regs</c>).</summary>
    private LinkedRegisters CollectLinked(Instruction instruction)
    {
        var left = environment.Registers[instruction.Destination].BaseId;
        var right = instruction.UsesSourceRegister ? environment.Registers[instruction.Source].BaseId : 0;
        LinkedRegisters linked = default;
        if (left == 0 && right == 0)
        {
            return linked;
        }
        for (var index = environment.State.Depth; index >= 0; index--)
        {
            var frame = environment.State.Frame(index);
            for (var register = 0; register < FunctionFrame.FramePointer; register++)
            {
                ref var state = ref frame.Registers[register];
                if (IsLinked(state, left, right) && !linked.TryAdd(index, isStack: false, register))
                {
                    state.ClearId();
                }
            }
            var stack = frame.Stack;
            for (var slot = 0; slot < stack.Length; slot++)
            {
                if (
                    stack[slot].IsScalarSpill
                    && IsLinked(stack[slot].Spilled, left, right)
                    && !linked.TryAdd(index, isStack: true, slot)
                )
                {
                    stack[slot].Spilled.ClearId();
                }
            }
        }
        return linked.Count > 1 ? linked : default;
    }

    private static bool IsLinked(in RegisterState state, uint left, uint right) =>
        state.IsScalar && state.Id != 0 && (state.BaseId == left || state.BaseId == right);

    /// <summary>What was learnt of one register holds for those that are equal to it, or equal but for a constant.</summary>
    private static void ShareWithLinked(VerifierState state, RegisterState known, LinkedRegisters linked)
    {
        if (known.Id == 0)
        {
            return;
        }
        for (var position = 0; position < linked.Count; position++)
        {
            var (frame, isStack, index) = linked[position];
            ref var register = ref isStack
                ? ref state.Frame(frame).Stack[index].Spilled
                : ref state.Frame(frame).Registers[index];
            if (register.BaseId != known.BaseId)
            {
                continue;
            }
            var bounds = known.Bounds;
            if (register.Offset != known.Offset)
            {
                var difference = ScalarBounds.Constant((ulong)((long)register.Offset - known.Offset));
                ScalarArithmetic.Apply(AluOperation.Add, is32: false, ref bounds, difference);
            }
            ScalarComparison.TryAssume(JumpOperation.Jeq, holds: true, is32: false, ref register.Bounds, ref bounds);
        }
    }

    /// <summary>Comparisons with pointers that can go only one way.</summary>
    private static bool? DecidePointers(JumpOperation operation, in RegisterState left, in RegisterState right)
    {
        if (left.Type == RegisterType.Packet && right.Type == RegisterType.PacketEnd)
        {
            return DecidePacketEnd(operation, left.Range);
        }
        if (left.Type == RegisterType.PacketEnd && right.Type == RegisterType.Packet)
        {
            return DecidePacketEnd(ScalarComparison.Swap(operation), right.Range);
        }
        var isAgainstNull = left.IsNeverNull ? right.IsZero : right.IsNeverNull && left.IsZero;
        return operation switch
        {
            JumpOperation.Jeq when isAgainstNull => false,
            JumpOperation.Jne when isAgainstNull => true,
            _ => null,
        };
    }

    /// <summary>A packet pointer compared with data_end again, after the first comparison (<c>is_pkt_ptr_branch_taken</c>).</summary>
    private static bool? DecidePacketEnd(JumpOperation operation, int range) =>
        operation switch
        {
            JumpOperation.Jgt when range == RegisterState.BeyondPacketEnd => true,
            JumpOperation.Jle when range == RegisterState.BeyondPacketEnd => false,
            JumpOperation.Jge when range < 0 => true,
            JumpOperation.Jlt when range < 0 => false,
            _ => null,
        };

    private void LearnOfPointers(Instruction instruction, JumpOperation operation, VerifierState taken)
    {
        var fallen = environment.State;
        ref var left = ref fallen.Registers[instruction.Destination];
        if (!instruction.UsesSourceRegister)
        {
            if (instruction.Immediate == 0 && left.MayBeNull)
            {
                LearnNull(operation, left, taken);
            }
            return;
        }
        ref var right = ref fallen.Registers[instruction.Source];
        if (IsPacketWithEnd(left, right))
        {
            LearnRange(operation, instruction.Destination, taken);
        }
        else if (IsPacketWithEnd(right, left))
        {
            LearnRange(ScalarComparison.Swap(operation), instruction.Source, taken);
        }
        else if (left.MayBeNull && right.IsNeverNull)
        {
            LearnNotNullWhereEqual(operation, left.Id, taken);
        }
        else if (right.MayBeNull && left.IsNeverNull)
        {
            LearnNotNullWhereEqual(operation, right.Id, taken);
        }
    }

    /// <summary>True for packet and data_end, and for metadata and data (which is the metadata's end).</summary>
    private static bool IsPacketWithEnd(in RegisterState pointer, in RegisterState end) =>
        (pointer.Type == RegisterType.Packet && end.Type == RegisterType.PacketEnd)
        || (
            pointer.Type == RegisterType.PacketMeta
            && end is { Type: RegisterType.Packet, Id: 0, Offset: 0 }
            && end.Bounds.IsZero
        );

    private void LearnNull(JumpOperation operation, RegisterState pointer, VerifierState taken)
    {
        if (operation is not (JumpOperation.Jeq or JumpOperation.Jne))
        {
            return;
        }
        var isTakenNull = operation == JumpOperation.Jeq;
        if (pointer.Reference != 0 && pointer.Reference == pointer.Id)
        {
            // Null was not acquired.
            (isTakenNull ? taken : environment.State).Held.Release(pointer.Reference);
        }
        SetNull(taken, pointer.Id, isTakenNull);
        SetNull(environment.State, pointer.Id, !isTakenNull);
    }

    private void LearnNotNullWhereEqual(JumpOperation operation, uint id, VerifierState taken)
    {
        if (operation == JumpOperation.Jeq)
        {
            SetNull(taken, id, isNull: false);
        }
        else if (operation == JumpOperation.Jne)
        {
            SetNull(environment.State, id, isNull: false);
        }
    }

    private void SetNull(VerifierState state, uint id, bool isNull)
    {
        for (var index = 0; index <= state.Depth; index++)
        {
            var frame = state.Frame(index);
            foreach (ref var register in frame.Registers.AsSpan())
            {
                SetNull(ref register, id, isNull);
            }
            foreach (ref var slot in frame.Stack)
            {
                SetNull(ref slot.Spilled, id, isNull);
            }
        }
    }

    private void SetNull(ref RegisterState register, uint id, bool isNull)
    {
        if (!register.MayBeNull || register.Id != id)
        {
            return;
        }
        if (isNull)
        {
            register = RegisterState.Constant(0);
            return;
        }
        register.Type &= ~RegisterType.MayBeNull;
        if (register.Type != RegisterType.MapValue || !MapRules.HasLock(environment.Maps[register.Map]))
        {
            // Which value it is matters only where a lock in it may be held.
            register.Id = 0;
        }
    }

    /// <summary>Packet pointer against end (<c>try_match_pkt_pointers</c>).</summary>
    private void LearnRange(JumpOperation operation, int register, VerifierState taken)
    {
        var (below, above, isStrictlyBelow) = operation switch
        {
            JumpOperation.Jgt => (environment.State, taken, false),
            JumpOperation.Jge => (environment.State, taken, true),
            JumpOperation.Jlt => (taken, environment.State, true),
            JumpOperation.Jle => (taken, environment.State, false),
            _ => (null, null, false),
        };
        if (below is null)
        {
            return;
        }
        ExtendRanges(below, below.Registers[register], isStrictlyBelow);
        ref var pointer = ref above!.Registers[register];
        if (pointer.Type == RegisterType.Packet)
        {
            pointer.Range = isStrictlyBelow ? RegisterState.AtPacketEnd : RegisterState.BeyondPacketEnd;
        }
    }

    /// <summary>All pointers of the same base may access what lies before the one compared (<c>find_good_pkt_pointers</c>).</summary>
    private static void ExtendRanges(VerifierState state, RegisterState pointer, bool isStrictlyBelow)
    {
        if (
            pointer.Offset < 0
            || (pointer.Offset == 0 && isStrictlyBelow)
            || pointer.Bounds.Max > MaxPacketOffset
            || pointer.Bounds.Max + (ulong)pointer.Offset > MaxPacketOffset
        )
        {
            return;
        }
        var range = pointer.Offset + (isStrictlyBelow ? 1 : 0);
        for (var index = 0; index <= state.Depth; index++)
        {
            var frame = state.Frame(index);
            foreach (ref var register in frame.Registers.AsSpan())
            {
                ExtendRange(ref register, pointer, range);
            }
            foreach (ref var slot in frame.Stack)
            {
                ExtendRange(ref slot.Spilled, pointer, range);
            }
        }
    }

    private static void ExtendRange(ref RegisterState register, in RegisterState pointer, int range)
    {
        if (register.Type == pointer.Type && register.Id == pointer.Id)
        {
            register.Range = Math.Max(register.Range, range);
        }
    }
}
