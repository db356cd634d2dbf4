using System.Numerics;
using System.Runtime.CompilerServices;
using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Verification;

/// <summary>
/// Finds out which numbers matter. Where safety of a path relies on a number (an offset, a size, a branch that was decided),
/// this goes back along the path and marks, in the states kept on the way, every register and stack slot that the number
/// was made from; the kernel's <c>mark_chain_precision</c>. A kept state then stands for all states that agree on pointers
/// and on marked numbers, whatever the others are: that is what makes pruning effective, and this what makes it sound.
/// </summary>
internal sealed class PrecisionTracker(VerifierEnvironment environment)
{
    private Wanted _wanted;
    private bool _foundNew;

    /// <summary>What is looked for: registers and stack slots by frame, by bit.</summary>
    private struct Wanted
    {
        public FrameMasks16 Registers;
        public FrameMasks64 Slots;
        public int Frame;

        [InlineArray(VerifierState.MaxFrames)]
        public struct FrameMasks16
        {
            private ushort _first;
        }

        [InlineArray(VerifierState.MaxFrames)]
        public struct FrameMasks64
        {
            private ulong _first;
        }

        public readonly bool HasRegister(int register) => (Registers[Frame] & (1 << register)) != 0;

        public void AddRegister(int register) => Registers[Frame] |= (ushort)(1 << register);

        public void RemoveRegister(int register) => Registers[Frame] &= (ushort)~(1 << register);

        /// <summary>True when nothing is looked for in any frame.</summary>
        public readonly bool IsEmpty
        {
            get
            {
                for (var frame = 0; frame < VerifierState.MaxFrames; frame++)
                {
                    if (Registers[frame] != 0 || Slots[frame] != 0)
                    {
                        return false;
                    }
                }
                return true;
            }
        }
    }

    /// <summary>Marks a scalar register of the frame in progress, before the instruction in progress.</summary>
    public void Mark(int register)
    {
        if (!environment.State.Registers[register].IsScalar)
        {
            return;
        }
        _wanted = default;
        _wanted.Frame = environment.State.Depth;
        _wanted.AddRegister(register);
        GoBack(environment.State);
    }

    /// <summary>Marks the scalar spilled in a stack slot.</summary>
    public void MarkSlot(int frame, int slot)
    {
        _wanted = default;
        _wanted.Frame = environment.State.Depth;
        _wanted.Slots[frame] = 1ul << slot;
        GoBack(environment.State);
    }

    /// <summary>Marks in a path what is marked in the kept state that stands for its end.</summary>
    /// <returns>True when something was marked that was not before.</returns>
    public bool Propagate(VerifierState kept, VerifierState end)
    {
        _wanted = default;
        _wanted.Frame = end.Depth;
        for (var index = 0; index <= kept.Depth; index++)
        {
            var (frame, present) = (kept.Frame(index), end.Frame(index));
            for (var register = 0; register < FunctionFrame.FramePointer; register++)
            {
                ref var state = ref frame.Registers[register];
                if (state.IsPrecise && state.IsScalar && present.Registers[register].IsScalar)
                {
                    _wanted.Registers[index] |= (ushort)(1 << register);
                }
            }
            var count = Math.Min(frame.SlotCount, present.SlotCount);
            for (var slot = 0; slot < count; slot++)
            {
                if (frame.Stack[slot] is { IsScalarSpill: true, Spilled.IsPrecise: true })
                {
                    if (present.Stack[slot].IsScalarSpill)
                    {
                        _wanted.Slots[index] |= 1ul << slot;
                    }
                }
            }
        }
        return GoBack(end);
    }

    /// <summary>Goes back along a path from its end and marks what is looked for in the states kept on it.</summary>
    /// <returns>True when something was marked that was not before.</returns>
    private bool GoBack(VerifierState end)
    {
        _foundNew = false;
        var (history, state) = (end.History, end.Parent);
        while (true)
        {
            for (var index = history.Count - 1; index >= 0 && !_wanted.IsEmpty; index--)
            {
                if (!TryStepBack(history[index]))
                {
                    return MarkEverything(state) || _foundNew;
                }
            }
            if (state is null || _wanted.IsEmpty)
            {
                return _foundNew;
            }
            MarkIn(state);
            (history, state) = (state.History, state.Parent);
        }
    }

    /// <summary>Marks what is looked for in a kept state; what is a pointer there, or was marked before, is done with.</summary>
    private void MarkIn(VerifierState state)
    {
        for (var index = 0; index <= state.Depth; index++)
        {
            var frame = state.Frame(index);
            for (uint mask = _wanted.Registers[index]; mask != 0; mask &= mask - 1)
            {
                var register = BitOperations.TrailingZeroCount(mask);
                ref var scalar = ref frame.Registers[register];
                if (!scalar.IsScalar || scalar.IsPrecise)
                {
                    _wanted.Registers[index] &= (ushort)~(1 << register);
                }
                else
                {
                    scalar.IsPrecise = _foundNew = true;
                }
            }
            for (var mask = _wanted.Slots[index]; mask != 0; mask &= mask - 1)
            {
                var slot = BitOperations.TrailingZeroCount(mask);
                if (slot >= frame.SlotCount || !frame.Stack[slot].IsScalarSpill || frame.Stack[slot].Spilled.IsPrecise)
                {
                    _wanted.Slots[index] &= ~(1ul << slot);
                }
                else
                {
                    frame.Stack[slot].Spilled.IsPrecise = _foundNew = true;
                }
            }
        }
    }

    /// <summary>Where the way back cannot be followed: every number in every state kept on the way matters.</summary>
    /// <returns>True when that was not so already.</returns>
    public static bool MarkEverything(VerifierState? state)
    {
        var isNew = state is { IsAllPrecise: false };
        for (; state is { IsAllPrecise: false }; state = state.Parent)
        {
            state.IsAllPrecise = true;
            for (var index = 0; index <= state.Depth; index++)
            {
                var frame = state.Frame(index);
                foreach (ref var register in frame.Registers.AsSpan())
                {
                    register.IsPrecise |= register.IsScalar;
                }
                foreach (ref var slot in frame.Stack)
                {
                    slot.Spilled.IsPrecise |= slot.IsScalarSpill;
                }
            }
        }
        return isNew;
    }

    /// <summary>
    /// From what is looked for behind an instruction to what must be looked for before it (<c>backtrack_insn</c>). False
    /// where that cannot be told.
    /// </summary>
    private bool TryStepBack(in PathHistory.Entry entry)
    {
        // What was learnt of one linked register was learnt of all: before and after the instruction's own effect.
        AddLinked(entry.Linked);
        var isKnown = TryStepBackOwn(entry);
        AddLinked(entry.Linked);
        return isKnown;
    }

    private bool TryStepBackOwn(in PathHistory.Entry entry)
    {
        var instruction = environment.Code[entry.Slot];
        switch (entry.Crossing)
        {
            case FrameCrossing.Calls:
                return TryLeaveCallee();
            case FrameCrossing.Returns:
                return TryEnterCallee(instruction);
            case FrameCrossing.ReturnsToHelper:
                return TryEnterCallback();
            case FrameCrossing.CallsBack:
                return TryLeaveCallback();
        }
        var (destination, source) = (instruction.Destination, instruction.Source);
        switch (instruction.Class)
        {
            case InstructionClass.Alu or InstructionClass.Alu64:
                StepBackAlu(instruction, destination, source);
                return true;
            case InstructionClass.Ld:
                _wanted.RemoveRegister(destination);
                return true;
            case InstructionClass.Ldx:
                StepBackLoad(destination, entry.Spill);
                return true;
            case InstructionClass.St:
                return TryStepBackStore(destination, stored: -1, entry.Spill);
            case InstructionClass.Stx when instruction.MemoryMode == MemoryMode.Mem:
                return TryStepBackStore(destination, source, entry.Spill);
            case InstructionClass.Stx:
                return TryStepBackAtomic(instruction, entry.Spill);
            default:
                return TryStepBackJump(instruction, destination, source);
        }
    }

    private void StepBackAlu(Instruction instruction, int destination, int source)
    {
        if (!_wanted.HasRegister(destination))
        {
            return;
        }
        switch (instruction.AluOperation)
        {
            case AluOperation.Neg or AluOperation.End:
                return;
            case AluOperation.Mov:
                _wanted.RemoveRegister(destination);
                break;
        }
        if (instruction.UsesSourceRegister && source != FunctionFrame.FramePointer)
        {
            _wanted.AddRegister(source);
        }
    }

    private void StepBackLoad(int destination, StackReference spill)
    {
        if (!_wanted.HasRegister(destination))
        {
            return;
        }
        _wanted.RemoveRegister(destination);
        if (!spill.IsNone)
        {
            _wanted.Slots[spill.Frame] |= 1ul << spill.Slot;
        }
    }

    private bool TryStepBackStore(int pointer, int stored, StackReference spill)
    {
        if (_wanted.HasRegister(pointer))
        {
            // A number made from the pointer (by subtraction) is looked for: how is not followed.
            return false;
        }
        if (spill.IsNone || (_wanted.Slots[spill.Frame] & (1ul << spill.Slot)) == 0)
        {
            return true;
        }
        _wanted.Slots[spill.Frame] &= ~(1ul << spill.Slot);
        if (stored >= 0)
        {
            _wanted.AddRegister(stored);
        }
        return true;
    }

    private bool TryStepBackAtomic(Instruction instruction, StackReference spill)
    {
        switch ((AtomicOperation)instruction.Immediate)
        {
            case AtomicOperation.LoadAcquire:
                StepBackLoad(instruction.Destination, spill);
                return true;
            case AtomicOperation.StoreRelease:
                return TryStepBackStore(instruction.Destination, instruction.Source, spill);
            case AtomicOperation.CompareExchange:
                StepBackLoad(destination: 0, spill);
                break;
            case var operation when operation.HasFlag(AtomicOperation.Fetch):
                StepBackLoad(instruction.Source, spill);
                break;
        }
        return !_wanted.HasRegister(instruction.Destination);
    }

    private bool TryStepBackJump(Instruction instruction, int destination, int source)
    {
        switch (instruction.JumpOperation)
        {
            case JumpOperation.Ja:
                return true;
            case JumpOperation.Call:
                return TryStepBackCall();
            default:
                if (instruction.UsesSourceRegister && (_wanted.HasRegister(destination) || _wanted.HasRegister(source)))
                {
                    _wanted.AddRegister(destination);
                    _wanted.AddRegister(source);
                }
                return true;
        }
    }

    private bool TryStepBackCall()
    {
        _wanted.RemoveRegister(0);
        // The call left nothing in r1 to r5, so that nothing behind it can have used them.
        return (_wanted.Registers[_wanted.Frame] & ArgumentRegisters) == 0;
    }

    /// <summary>Backward over a call: out of the function, into its caller, who passed r1 to r5.</summary>
    private bool TryLeaveCallee()
    {
        var registers = _wanted.Registers[_wanted.Frame];
        if (_wanted.Frame == 0 || (registers & ~ArgumentRegisters) != 0 || _wanted.Slots[_wanted.Frame] != 0)
        {
            return false;
        }
        _wanted.Registers[_wanted.Frame] = 0;
        _wanted.Frame--;
        _wanted.Registers[_wanted.Frame] |= registers;
        return true;
    }

    /// <summary>Backward over a return: into the function that was called, which made r0.</summary>
    private bool TryEnterCallee(Instruction instruction)
    {
        if (_wanted.Frame + 1 >= VerifierState.MaxFrames || (_wanted.Registers[_wanted.Frame] & ArgumentRegisters) != 0)
        {
            return false;
        }
        var wantsResult = _wanted.HasRegister(0);
        _wanted.RemoveRegister(0);
        _wanted.Frame++;
        // Behind a tail call r0 is what the other program returned: any number.
        if (wantsResult && instruction.IsExit)
        {
            _wanted.AddRegister(0);
        }
        return true;
    }

    /// <summary>
    /// Backward from a helper's call that a callback came back to: into the callback. The caller's registers, arguments
    /// among them, are what they were before; r0 of the callback decided whether there is another call, nothing else.
    /// </summary>
    private bool TryEnterCallback()
    {
        if (_wanted.Frame + 1 >= VerifierState.MaxFrames)
        {
            return false;
        }
        _wanted.Frame++;
        return true;
    }

    /// <summary>Backward out of a callback, to the helper's call: the helper made its arguments.</summary>
    private bool TryLeaveCallback()
    {
        if (
            _wanted.Frame == 0
            || (_wanted.Registers[_wanted.Frame] & ~ArgumentRegisters) != 0
            || _wanted.Slots[_wanted.Frame] != 0
        )
        {
            return false;
        }
        _wanted.Registers[_wanted.Frame] = 0;
        _wanted.Frame--;
        return true;
    }

    private const ushort ArgumentRegisters = 0b111110;

    private void AddLinked(LinkedRegisters linked)
    {
        var isWanted = false;
        for (var position = 0; position < linked.Count && !isWanted; position++)
        {
            var (frame, isStack, index) = linked[position];
            isWanted = isStack
                ? (_wanted.Slots[frame] & (1ul << index)) != 0
                : (_wanted.Registers[frame] & (1 << index)) != 0;
        }
        for (var position = 0; isWanted && position < linked.Count; position++)
        {
            var (frame, isStack, index) = linked[position];
            if (isStack)
            {
                _wanted.Slots[frame] |= 1ul << index;
            }
            else
            {
                _wanted.Registers[frame] |= (ushort)(1 << index);
            }
        }
    }
}
