using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Verification;

/// <summary>
/// Checks accesses to the stack and keeps track of what it holds, after the kernel's <c>check_stack_read</c>,
/// <c>check_stack_write</c> and <c>check_stack_range_initialized</c> for a privileged loader: bytes that were never written
/// may be read, as unknown numbers.
/// </summary>
internal sealed class StackChecker(VerifierEnvironment environment)
{
    /// <summary>A load. The result is what the loaded bytes hold, not yet extended to a register.</summary>
    public RegisterState Read(in RegisterState pointer, int offset, int size)
    {
        var (low, high) = CheckBounds(pointer, offset, size, "reads");
        CheckAlignment(pointer, offset, size);
        var frame = environment.State.Frame(pointer.Frame);
        return low + size == high ? ReadAt(pointer.Frame, frame, low, size) : ReadBytes(frame, low, high - low);
    }

    /// <summary>A store of a register, or of the immediate where there is none (-1).</summary>
    public void Write(in RegisterState pointer, int offset, int size, int register)
    {
        var (low, high) = CheckBounds(pointer, offset, size, "writes");
        CheckAlignment(pointer, offset, size);
        var frame = environment.State.Frame(pointer.Frame);
        DestroyDynptrs(frame, low, high);
        if (low + size == high)
        {
            WriteAt(pointer.Frame, frame, low, size, register);
        }
        else
        {
            WriteSomewhere(frame, low, high, register);
        }
    }

    /// <summary>
    /// An atomic instruction. The result is what the bytes held before; of what they hold afterwards only that they are
    /// numbers is known.
    /// </summary>
    public RegisterState ReadAndWrite(in RegisterState pointer, int offset, int size)
    {
        var (low, high) = CheckBounds(pointer, offset, size, "accesses");
        CheckAlignment(pointer, offset, size);
        if (low + size != high)
        {
            throw environment.Reject("an atomic instruction on the stack at an offset that is not constant");
        }
        var frame = environment.State.Frame(pointer.Frame);
        var before = ReadAt(pointer.Frame, frame, low, size);
        Overwrite(frame, low, size, StackByte.Misc);
        return before;
    }

    /// <summary>Memory given to a function that reads it, or reads and writes it.</summary>
    public void CheckCallRead(in RegisterState pointer, int size, bool isWritten)
    {
        var (low, high) = CheckBounds(pointer, 0, size, "lets a helper access");
        var frame = environment.State.Frame(pointer.Frame);
        ReadBytes(frame, low, high - low);
        if (isWritten)
        {
            Clobber(frame, low, high);
        }
    }

    /// <summary>
    /// Memory given to a function that fills it. Where its place or size is not constant (or the function may fill only a
    /// part), bytes that were not written count as not written still.
    /// </summary>
    /// <param name="pointer">The memory.</param>
    /// <param name="size">Bytes, at the most.</param>
    /// <param name="fillsAll">True when every byte is written.</param>
    /// <param name="mayDestroyDynptrs">True when dynptrs that stand there may be replaced.</param>
    public void CheckCallWrite(in RegisterState pointer, int size, bool fillsAll, bool mayDestroyDynptrs = false)
    {
        var (low, high) = CheckBounds(pointer, 0, size, "lets a helper write");
        var frame = environment.State.Frame(pointer.Frame);
        if (mayDestroyDynptrs)
        {
            DestroyDynptrs(frame, low, high);
        }
        for (var offset = low; offset < high; offset++)
        {
            CheckIsMemory(frame.ByteAt(offset), "lets a helper write to");
        }
        if (fillsAll && low + size == high)
        {
            Overwrite(frame, low, size, StackByte.Misc);
        }
        else
        {
            Clobber(frame, low, high);
        }
    }

    /// <summary>A dynptr of which any byte is written is none any more, nor are its slices (<c>destroy_if_dynptr_stack_slot</c>).</summary>
    private void DestroyDynptrs(FunctionFrame frame, int low, int high)
    {
        for (var index = FunctionFrame.SlotOf(high - 1); index <= FunctionFrame.SlotOf(low); index++)
        {
            if (frame.Stack[index].Types[0] != StackByte.Dynptr)
            {
                continue;
            }
            var description = frame.Stack[index].Spilled;
            if (description.Reference != 0)
            {
                throw environment.Reject(
                    "writes over a dynptr that holds a record",
                    "submit or discard the record first"
                );
            }
            environment.State.ForgetDynptr(description.Dynptr);
            // Of a dynptr the part with the lower address comes first, in the slot with the higher index.
            var first = description.Offset == 0 ? index : index + 1;
            frame.Stack[first] = default;
            frame.Stack[first - 1] = default;
        }
    }

    private void CheckIsMemory(StackByte type, string verb)
    {
        if (type is StackByte.Dynptr or StackByte.Iterator)
        {
            throw environment.Reject(
                $"{verb} the stack where a {(type == StackByte.Dynptr ? "dynptr" : "iterator")} is, which only calls made for it may access"
            );
        }
    }

    /// <summary>
    /// The bytes that may be accessed, as offsets from the frame's end: from the first to behind the last. They exist
    /// afterwards.
    /// </summary>
    private (int Low, int High) CheckBounds(in RegisterState pointer, int offset, int size, string verb)
    {
        var variable = pointer.Bounds;
        if (variable.SignedMax >= PointerArithmetic.MaxOffset || variable.SignedMin <= -PointerArithmetic.MaxOffset)
        {
            throw environment.Reject(
                $"{verb} the stack at an offset that is not bounded",
                "bound the index with a comparison or '&' before it is used"
            );
        }
        var low = variable.SignedMin + pointer.Offset + offset;
        var high = variable.SignedMax + pointer.Offset + offset + size;
        if (low < -FunctionFrame.MaxStack || low >= 0 || high > 0)
        {
            throw environment.Reject(
                variable.IsConstant
                    ? $"{verb} {size} bytes at offset {low} from the end of the stack, which has only -{FunctionFrame.MaxStack} to -1"
                    : $"{verb} {size} bytes at an offset of {low} to {high - size} from the end of the stack, which has only -{FunctionFrame.MaxStack} to -1"
            );
        }
        var frame = environment.State.Frame(pointer.Frame);
        frame.Grow((int)low);
        ref var findings = ref environment.Functions[frame.Function];
        findings.StackDepth = Math.Max(findings.StackDepth, frame.SlotCount * StackSlot.Size);
        return ((int)low, (int)high);
    }

    private void CheckAlignment(in RegisterState pointer, int offset, int size)
    {
        if (!pointer.Place(offset).IsAligned((ulong)size))
        {
            throw environment.Reject(
                $"accesses {size} bytes of the stack at offset {pointer.DescribeOffset(offset)}, which is not a multiple of {size}"
            );
        }
    }

    private RegisterState ReadAt(int frameIndex, FunctionFrame frame, int offset, int size)
    {
        var index = FunctionFrame.SlotOf(offset);
        ref var slot = ref frame.Stack[index];
        if (!slot.IsSpill)
        {
            return ReadBytes(frame, offset, size);
        }
        var spillSize = slot.SpillSize;
        if (size != StackSlot.Size || spillSize != StackSlot.Size)
        {
            if (!slot.Spilled.IsScalar)
            {
                throw environment.Reject(
                    $"reads {size} bytes of {slot.Spilled.Describe()} that was stored on the stack",
                    "pointers are read whole, 8 bytes"
                );
            }
            if (FunctionFrame.ByteOf(offset) != 0 || size > spillSize)
            {
                return ReadPartOfSpill(frameIndex, frame, offset, size);
            }
        }
        environment.Spill = new StackReference(frameIndex, index);
        var value = slot.Spilled;
        if (value.IsScalar && value.Bounds.Max > MaxOf(size))
        {
            value.ClearId();
        }
        return value;
    }

    private static ulong MaxOf(int size) => ulong.MaxValue >> (64 - (size * 8));

    private RegisterState ReadPartOfSpill(int frameIndex, FunctionFrame frame, int offset, int size)
    {
        var index = FunctionFrame.SlotOf(offset);
        ref var slot = ref frame.Stack[index];
        var (spilled, zero) = (0, 0);
        for (var position = 0; position < size; position++)
        {
            var type = frame.ByteAt(offset + position);
            spilled += type == StackByte.Spill ? 1 : 0;
            zero += type == StackByte.Zero ? 1 : 0;
            NoteUninitialized(frame, type);
        }
        if (spilled == size && slot.Spilled.Bounds.IsZero)
        {
            environment.Spill = new StackReference(frameIndex, index);
            return RegisterState.Constant(0);
        }
        return zero == size ? RegisterState.Constant(0) : RegisterState.Unknown;
    }

    /// <summary>Reads bytes as they come: a number, known only where all of them are 0.</summary>
    private RegisterState ReadBytes(FunctionFrame frame, int offset, int length)
    {
        var isZero = true;
        for (var position = 0; position < length; position++)
        {
            var type = frame.ByteAt(offset + position);
            isZero &= type == StackByte.Zero;
            CheckIsMemory(type, "reads");
            NoteUninitialized(frame, type);
        }
        return isZero ? RegisterState.Constant(0) : RegisterState.Unknown;
    }

    private void NoteUninitialized(FunctionFrame frame, StackByte type) =>
        environment.Functions[frame.Function].ReadsUninitializedStack |= type == StackByte.Invalid;

    private void WriteAt(int frameIndex, FunctionFrame frame, int offset, int size, int register)
    {
        var index = FunctionFrame.SlotOf(offset);
        ref var slot = ref frame.Stack[index];
        var isAtStart = FunctionFrame.ByteOf(offset) == 0;
        if (register < 0)
        {
            var value = environment.Instruction.Immediate;
            if (isAtStart)
            {
                environment.Spill = new StackReference(frameIndex, index);
                slot.Spill(RegisterState.Constant((ulong)(long)value), size);
            }
            else
            {
                Overwrite(frame, offset, size, value == 0 ? StackByte.Zero : StackByte.Misc);
            }
            return;
        }
        ref var stored = ref environment.Registers[register];
        if (stored.IsPointer)
        {
            CheckPointerSpill(frameIndex, size, stored);
            environment.Spill = new StackReference(frameIndex, index);
            slot.Spill(stored, size);
        }
        else if (isAtStart)
        {
            environment.Spill = new StackReference(frameIndex, index);
            var fits = stored.Bounds.Max <= MaxOf(size);
            if (fits && stored.Id == 0 && !stored.Bounds.IsConstant)
            {
                stored.Id = environment.NewId();
            }
            slot.Spill(stored, size);
            if (!fits)
            {
                slot.Spilled.ClearId();
            }
        }
        else
        {
            var isZero = stored.IsZero;
            if (isZero)
            {
                // Bytes marked as 0 do not remember where the 0 came from: it must be certain.
                environment.Precision.Mark(register);
            }
            Overwrite(frame, offset, size, isZero ? StackByte.Zero : StackByte.Misc);
        }
    }

    private void CheckPointerSpill(int frameIndex, int size, in RegisterState stored)
    {
        if (size != StackSlot.Size)
        {
            throw environment.Reject(
                $"stores {size} bytes of {stored.Describe()} on the stack",
                "pointers are stored whole, 8 bytes"
            );
        }
        if (frameIndex != environment.State.Depth && stored.Type == RegisterType.Stack)
        {
            throw environment.Reject("stores a pointer to the stack in the stack of the calling function");
        }
    }

    private static void Overwrite(FunctionFrame frame, int offset, int size, StackByte type)
    {
        for (var position = 0; position < size; position++)
        {
            var at = offset + position;
            ref var slot = ref frame.Stack[FunctionFrame.SlotOf(at)];
            if (slot.IsSpill)
            {
                slot.Scrub();
            }
            slot.Types[FunctionFrame.ByteOf(at)] = type;
        }
    }

    /// <summary>A store at an offset that is not constant: any of the bytes may be written, or not.</summary>
    private void WriteSomewhere(FunctionFrame frame, int low, int high, int register)
    {
        var writesZero = register < 0 ? environment.Instruction.Immediate == 0 : environment.Registers[register].IsZero;
        var reliesOnZero = false;
        for (var offset = low; offset < high; offset++)
        {
            ref var slot = ref frame.Stack[FunctionFrame.SlotOf(offset)];
            ref var type = ref slot.Types[FunctionFrame.ByteOf(offset)];
            if (writesZero && type == StackByte.Zero)
            {
                reliesOnZero = true;
                continue;
            }
            if (writesZero && type == StackByte.Spill && slot.Spilled.IsZero)
            {
                reliesOnZero = true;
                continue;
            }
            ClobberByte(ref slot, ref type);
        }
        if (reliesOnZero && register >= 0)
        {
            environment.Precision.Mark(register);
        }
    }

    private static void Clobber(FunctionFrame frame, int low, int high)
    {
        for (var offset = low; offset < high; offset++)
        {
            ref var slot = ref frame.Stack[FunctionFrame.SlotOf(offset)];
            ClobberByte(ref slot, ref slot.Types[FunctionFrame.ByteOf(offset)]);
        }
    }

    /// <summary>A byte that may have been written: a number, and not written if it was not before.</summary>
    private static void ClobberByte(ref StackSlot slot, ref StackByte type)
    {
        if (type == StackByte.Spill)
        {
            slot.Scrub();
        }
        else if (type == StackByte.Zero)
        {
            type = StackByte.Misc;
        }
    }
}
