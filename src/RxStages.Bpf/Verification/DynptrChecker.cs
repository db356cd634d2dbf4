using RxStages.Bpf.Helpers;

namespace RxStages.Bpf.Verification;

/// <summary>
/// Dynptrs: 16 bytes of stack that describe memory whose bounds are checked when programs run. Only calls may read and write
/// them; here they are made, looked at and destroyed, after the kernel's <c>process_dynptr_func</c> and
/// <c>mark_stack_slots_dynptr</c>.
/// </summary>
internal sealed class DynptrChecker(VerifierEnvironment environment)
{
    /// <summary>Bytes in a dynptr (<c>BPF_DYNPTR_SIZE</c>).</summary>
    private const int Size = 2 * StackSlot.Size;

    private readonly StackChecker _stack = new(environment);

    /// <summary>A call makes a dynptr on the stack. One that holds a reference acquires it.</summary>
    public void Initialize(int register, DynptrKinds kind) =>
        Make(register, kind, () => kind == DynptrKinds.Ringbuf ? environment.References.Acquire() : 0);

    /// <summary>A call makes a dynptr like another on the stack, with the same reference.</summary>
    public void Clone(int register, DynptrView original) => Make(register, original.Kind, () => original.Reference);

    /// <summary>A dynptr that a call reads or changes: it must be whole, and of one of some kinds.</summary>
    public DynptrView CheckInitialized(int register, DynptrKinds kinds)
    {
        ref readonly var pointer = ref environment.Registers[register];
        if (pointer.Type == RegisterType.Dynptr)
        {
            return CheckKind(register, pointer, kinds);
        }
        var frame = FrameOf(register);
        var offset = OffsetOf(register);
        var first = FunctionFrame.SlotOf(offset);
        var isWhole =
            first < frame.SlotCount
            && IsPart(frame.Stack[first], isFirst: true)
            && IsPart(frame.Stack[first - 1], isFirst: false);
        if (!isWhole)
        {
            throw environment.Reject(
                $"the call expects an initialized dynptr in r{register}, but at offset {offset} of the stack there is none",
                "initialize it first, for example with bpf_dynptr_from_mem() or bpf_ringbuf_reserve_dynptr()"
            );
        }
        return CheckKind(register, frame.Stack[first].Spilled, kinds);
    }

    private DynptrView CheckKind(int register, in RegisterState dynptr, DynptrKinds kinds)
    {
        var kind = (DynptrKinds)dynptr.Map;
        return (kind & kinds) != DynptrKinds.None
            ? new DynptrView(dynptr.Dynptr, dynptr.Reference, kind)
            : throw environment.Reject(
                $"the call expects a dynptr of kind {kinds} in r{register}, which is of kind {kind}"
            );
    }

    private static bool IsPart(in StackSlot slot, bool isFirst) =>
        slot.IsAll(StackByte.Dynptr, StackByte.Dynptr) && slot.Spilled.Offset == 0 == isFirst;

    private void Make(int register, DynptrKinds kind, Func<uint> reference)
    {
        var frame = FrameOf(register);
        var offset = OffsetOf(register);
        // The call writes all of it: what was there is gone.
        _stack.CheckCallWrite(environment.Registers[register], Size, fillsAll: true, mayDestroyDynptrs: true);
        var description = RegisterState.Pointer(RegisterType.Dynptr);
        description.Map = (int)kind;
        description.Dynptr = environment.NewId();
        description.Reference = reference();
        var first = FunctionFrame.SlotOf(offset);
        frame.Stack[first].Fill(StackByte.Dynptr, description);
        description.Offset = StackSlot.Size;
        frame.Stack[first - 1].Fill(StackByte.Dynptr, description);
    }

    private FunctionFrame FrameOf(int register)
    {
        ref readonly var pointer = ref environment.Registers[register];
        return pointer.Type == RegisterType.Stack
            ? environment.State.Frame(pointer.Frame)
            : throw environment.Reject(
                $"the call expects a pointer to a dynptr on the stack in r{register}, which is {pointer.Describe()}"
            );
    }

    private int OffsetOf(int register)
    {
        ref readonly var pointer = ref environment.Registers[register];
        var offset = (long)pointer.Bounds.Bits.Value + pointer.Offset;
        var isPlace =
            pointer.Bounds.IsConstant
            && offset % StackSlot.Size == 0
            && offset is >= -FunctionFrame.MaxStack and <= -Size;
        return isPlace
            ? (int)offset
            : throw environment.Reject(
                $"the call expects a dynptr in r{register}, but offset {pointer.DescribeOffset()} of the stack is no place for one: it takes {Size} bytes at a constant multiple of {StackSlot.Size}"
            );
    }
}
