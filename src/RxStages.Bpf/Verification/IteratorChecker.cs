using RxStages.Bpf.Helpers;

namespace RxStages.Bpf.Verification;

/// <summary>
/// Open-coded iterators: stack that only kfuncs made for it access; after the kernel's <c>process_iter_arg</c> and
/// <c>process_iter_next_call</c>. Of a slot of one, <see cref="RegisterState.Map"/> is the type,
/// <see cref="RegisterState.Offset"/> the place in the iterator, <see cref="RegisterState.Frame"/> whether it is drained, and
/// <see cref="RegisterState.Range"/> how often it gave an element on the path.
/// </summary>
internal sealed class IteratorChecker(VerifierEnvironment environment)
{
    private const byte Active = 0;
    private const byte Drained = 1;

    // The types, by the number that stands for them.
    private readonly List<string> _types = [];
    private readonly StackChecker _stack = new(environment);

    /// <summary>Stack where a call makes an iterator, which it acquires.</summary>
    public void Make(int register, Argument expected)
    {
        var (frame, first) = PlaceOf(register);
        var count = expected.Size / StackSlot.Size;
        for (var index = 0; index < count && first - index < frame.SlotCount; index++)
        {
            if (first - index >= 0 && frame.Stack[first - index].Types[0] == StackByte.Iterator)
            {
                throw environment.Reject(
                    $"the call makes an iterator in r{register}, where there is one already",
                    "destroy it first"
                );
            }
        }
        _stack.CheckCallWrite(environment.Registers[register], expected.Size, fillsAll: true, mayDestroyDynptrs: true);
        var reference = environment.References.Acquire();
        for (var index = 0; index < count; index++)
        {
            var description = RegisterState.Pointer(RegisterType.Iterator);
            description.Map = NumberOf(expected.BtfType!);
            description.Offset = index;
            description.Frame = Active;
            description.Reference = index == 0 ? reference : 0;
            frame.Stack[first - index].Fill(StackByte.Iterator, description);
        }
    }

    /// <summary>An iterator that a call takes: it must be whole.</summary>
    /// <returns>Its reference.</returns>
    public uint Check(int register, Argument expected)
    {
        var (frame, first) = PlaceOf(register);
        var count = expected.Size / StackSlot.Size;
        for (var index = 0; index < count; index++)
        {
            var isPart =
                first - index >= 0
                && first - index < frame.SlotCount
                && frame.Stack[first - index].IsAll(StackByte.Iterator, StackByte.Iterator)
                && frame.Stack[first - index].Spilled is var part
                && part.Offset == index
                && part.Map == NumberOf(expected.BtfType!);
            if (!isPart)
            {
                throw environment.Reject(
                    $"the call expects an initialized iterator (struct {expected.BtfType}) in r{register}, but there is none"
                );
            }
        }
        return frame.Stack[first].Spilled.Reference;
    }

    /// <summary>An iterator is destroyed: its stack holds nothing.</summary>
    public void Destroy(int register, Argument expected)
    {
        var (frame, first) = PlaceOf(register);
        for (var index = 0; index < expected.Size / StackSlot.Size; index++)
        {
            frame.Stack[first - index] = default;
        }
    }

    /// <summary>Where the iterator in a register is, which was checked.</summary>
    public StackReference Find(int register)
    {
        ref readonly var pointer = ref environment.Registers[register];
        return new StackReference(pointer.Frame, PlaceOf(register).First);
    }

    /// <summary>True when the iterator that the call at a slot is about to advance may have more elements (<c>BPF_ITER_STATE_ACTIVE</c>).</summary>
    public static bool IsActive(VerifierState state)
    {
        ref readonly var pointer = ref state.Registers[1];
        if (pointer.Type != RegisterType.Stack)
        {
            return false;
        }
        var frame = state.Frame(pointer.Frame);
        var slot = FunctionFrame.SlotOf((int)((long)pointer.Bounds.Bits.Value + pointer.Offset));
        return (uint)slot < (uint)frame.SlotCount
            && frame.Stack[slot] is { Spilled.Type: RegisterType.Iterator, Spilled.Frame: Active };
    }

    /// <summary>
    /// An iterator was advanced: either there is an element, and the loop goes round, or there is none now and ever after. On
    /// the way round, what differs from the round before and nobody relied on is forgotten.
    /// </summary>
    public void Advance(StackReference place, StatePruning pruning)
    {
        var state = environment.State;
        ref var iterator = ref state.Frame(place.Frame).Stack[place.Slot].Spilled;
        if (iterator.Frame == Active)
        {
            var round = environment.PushBranch(environment.Slot + 1);
            round.Frame(place.Frame).Stack[place.Slot].Spilled.Range++;
            ref var element = ref round.Registers[0];
            element.Type &= ~RegisterType.MayBeNull;
            element.Id = 0;
            if (state.Parent is { } kept && pruning.FindPrevious(kept, environment.Slot) is { } previous)
            {
                Widening.Widen(previous, round);
            }
        }
        iterator.Frame = Drained;
        state.Registers[0] = RegisterState.Constant(0);
    }

    private (FunctionFrame Frame, int First) PlaceOf(int register)
    {
        ref readonly var pointer = ref environment.Registers[register];
        if (pointer.Type != RegisterType.Stack)
        {
            throw environment.Reject(
                $"the call expects a pointer to an iterator on the stack in r{register}, which is {pointer.Describe()}"
            );
        }
        if (!pointer.Bounds.IsConstant)
        {
            throw environment.Reject($"the iterator in r{register} is at an offset that is not constant");
        }
        var offset = (long)pointer.Bounds.Bits.Value + pointer.Offset;
        if (offset % StackSlot.Size != 0 || offset is >= 0 or < -FunctionFrame.MaxStack)
        {
            throw environment.Reject($"the iterator in r{register} is at offset {offset} of the stack");
        }
        return (environment.State.Frame(pointer.Frame), FunctionFrame.SlotOf((int)offset));
    }

    private int NumberOf(string type)
    {
        var number = _types.IndexOf(type);
        if (number < 0)
        {
            number = _types.Count;
            _types.Add(type);
        }
        return number;
    }
}
