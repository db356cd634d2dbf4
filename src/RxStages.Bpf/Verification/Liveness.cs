using System.Collections;
using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Verification;

/// <summary>
/// Which registers and stack slots may still be read, from the instructions alone (the kernel's
/// <c>compute_live_registers</c> and <c>liveness.c</c>). What is not live need not be compared between states. Errs to the
/// live side: a stack pointer that goes where it is not followed makes the whole stack live.
/// </summary>
internal sealed class Liveness
{
    private const int RegisterCount = 10;
    private const ulong AllSlots = ulong.MaxValue;
    private const ushort ArgumentRegisters = 0b111110;
    private const ushort CallerSaved = 0b111111;

    // What a register may be, as a stack pointer of its own function: an offset, or one of these.
    private const short NoStackPointer = 1;
    private const short AnyStackPointer = 2;
    private const short NotSeen = 3;

    private readonly Instruction[] _code;
    private readonly ControlFlow _flow;
    private readonly ushort[] _registers;
    private readonly ulong[] _slots;
    private readonly short[] _pointers;
    private readonly bool[] _passesStack;
    private readonly List<int>[] _jumpsTo;

    /// <summary>Computes it for all functions.</summary>
    public Liveness(Instruction[] code, ControlFlow flow)
    {
        _code = code;
        _flow = flow;
        _registers = new ushort[code.Length];
        _slots = new ulong[code.Length];
        _pointers = new short[code.Length * RegisterCount];
        _passesStack = new bool[code.Length];
        _jumpsTo = new List<int>[code.Length];
        FindJumps();
        FollowPointers(fillsAreStackPointers: false);
        if (AreStackPointersStored())
        {
            FollowPointers(fillsAreStackPointers: true);
        }
        FlowBackward();
        _pointers = [];
        _jumpsTo = [];
    }

    /// <summary>By bit: registers that may be read from a slot on before they are written.</summary>
    public ushort RegistersBefore(int slot) => _registers[slot];

    /// <summary>By bit: stack slots of the function that may be read from a slot on before they are overwritten.</summary>
    public ulong SlotsBefore(int slot) => _slots[slot];

    /// <summary>The registers live in a frame whose call at a slot is in progress.</summary>
    public ushort RegistersDuringCall(int callSite) => (ushort)(_registers[callSite + 1] & ~CallerSaved);

    /// <summary>The stack slots live in a frame whose call at a slot is in progress: all when the callee may reach them.</summary>
    public ulong SlotsDuringCall(int callSite) => _passesStack[callSite] ? AllSlots : _slots[callSite + 1];

    private void FindJumps()
    {
        for (var slot = 0; slot < _code.Length; slot = _flow.Next(slot))
        {
            var (first, second) = _flow.Successors(slot);
            if (second >= 0)
            {
                (_jumpsTo[second] ??= []).Add(slot);
            }
            if (first >= 0 && first != _flow.Next(slot))
            {
                (_jumpsTo[first] ??= []).Add(slot);
            }
        }
    }

    private Span<short> PointersBefore(int slot) => _pointers.AsSpan(slot * RegisterCount, RegisterCount);

    private short PointerIn(int slot, int register) =>
        register == FunctionFrame.FramePointer ? (short)0 : _pointers[(slot * RegisterCount) + register];

    /// <summary>Forward: which registers point to the stack of the function, and where.</summary>
    private void FollowPointers(bool fillsAreStackPointers)
    {
        _pointers.AsSpan().Fill(NotSeen);
        var pending = new Worklist(_code.Length);
        foreach (var function in _flow.Functions)
        {
            PointersBefore(function.Start).Fill(NoStackPointer);
            pending.Add(function.Start);
        }
        Span<short> after = stackalloc short[RegisterCount];
        while (pending.TryTake(out var slot))
        {
            PointersBefore(slot).CopyTo(after);
            Transfer(slot, after, fillsAreStackPointers);
            var (first, second) = _flow.Successors(slot);
            if (first >= 0 && Join(PointersBefore(first), after))
            {
                pending.Add(first);
            }
            if (second >= 0 && Join(PointersBefore(second), after))
            {
                pending.Add(second);
            }
        }
    }

    private static bool Join(Span<short> into, ReadOnlySpan<short> from)
    {
        var hasChanged = false;
        for (var register = 0; register < RegisterCount; register++)
        {
            var joined =
                into[register] == NotSeen || into[register] == from[register] ? from[register] : AnyStackPointer;
            hasChanged |= joined != into[register];
            into[register] = joined;
        }
        return hasChanged;
    }

    private void Transfer(int slot, Span<short> pointers, bool fillsAreStackPointers)
    {
        var instruction = _code[slot];
        var (destination, source) = (instruction.Destination, instruction.Source);
        switch (instruction.Class)
        {
            case InstructionClass.Alu or InstructionClass.Alu64:
                pointers[destination] = TransferAlu(slot, instruction, pointers[destination]);
                break;
            case InstructionClass.Ld:
                pointers[destination] = NoStackPointer;
                break;
            case InstructionClass.Ldx:
                pointers[destination] =
                    fillsAreStackPointers && PointerIn(slot, source) != NoStackPointer
                        ? AnyStackPointer
                        : NoStackPointer;
                break;
            case InstructionClass.Stx when instruction.MemoryMode == MemoryMode.Atomic:
                // What an atomic instruction reads is a number, whatever it reads from.
                var operation = (AtomicOperation)instruction.Immediate;
                if (operation == AtomicOperation.CompareExchange)
                {
                    pointers[0] = NoStackPointer;
                }
                else if (operation == AtomicOperation.LoadAcquire)
                {
                    pointers[destination] = fillsAreStackPointers ? AnyStackPointer : NoStackPointer;
                }
                else if (operation.HasFlag(AtomicOperation.Fetch) && operation != AtomicOperation.StoreRelease)
                {
                    pointers[source] = NoStackPointer;
                }
                break;
            case InstructionClass.Jmp when instruction.JumpOperation == JumpOperation.Call:
                pointers[..6].Fill(NoStackPointer);
                break;
        }
    }

    private short TransferAlu(int slot, Instruction instruction, short destination)
    {
        var operand = instruction.UsesSourceRegister ? PointerIn(slot, instruction.Source) : NoStackPointer;
        var is64 = instruction.Class == InstructionClass.Alu64;
        switch (instruction.AluOperation)
        {
            case AluOperation.Mov:
                return is64 && instruction.Offset == 0 ? operand : NoStackPointer;
            case AluOperation.Add when is64 && !instruction.UsesSourceRegister && destination <= 0:
                var sum = destination + (long)instruction.Immediate;
                return sum is <= 0 and >= -FunctionFrame.MaxStack ? (short)sum : AnyStackPointer;
            default:
                return destination == NoStackPointer && operand == NoStackPointer ? NoStackPointer : AnyStackPointer;
        }
    }

    private bool AreStackPointersStored()
    {
        for (var slot = 0; slot < _code.Length; slot = _flow.Next(slot))
        {
            if (_code[slot].Class == InstructionClass.Stx && PointerIn(slot, _code[slot].Source) != NoStackPointer)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Backward: what is read before it is written.</summary>
    private void FlowBackward()
    {
        var pending = new Worklist(_code.Length);
        for (var slot = 0; slot < _code.Length; slot = _flow.Next(slot))
        {
            pending.Add(slot);
        }
        while (pending.TryTake(out var slot))
        {
            var (registers, slots) = Before(slot);
            if (registers == _registers[slot] && slots == _slots[slot])
            {
                continue;
            }
            (_registers[slot], _slots[slot]) = (registers, slots);
            var previous = slot > 0 && _code[slot - 1].Opcode == 0 ? slot - 2 : slot - 1;
            if (previous >= 0)
            {
                pending.Add(previous);
            }
            if (_jumpsTo[slot] is { } jumps)
            {
                foreach (var jump in jumps)
                {
                    pending.Add(jump);
                }
            }
        }
    }

    private (ushort Registers, ulong Slots) Before(int slot)
    {
        ushort registers = 0;
        ulong slots = 0;
        var (first, second) = _flow.Successors(slot);
        if (first >= 0)
        {
            (registers, slots) = (_registers[first], _slots[first]);
        }
        if (second >= 0)
        {
            registers |= _registers[second];
            slots |= _slots[second];
        }
        var instruction = _code[slot];
        var (read, written) = RegisterUse(instruction);
        registers = (ushort)((registers & ~written) | read);
        return (registers, SlotsBefore(slot, instruction, slots));
    }

    /// <summary>The registers that an instruction reads and those it writes, by bit.</summary>
    private static (ushort Read, ushort Written) RegisterUse(Instruction instruction)
    {
        var destination = (ushort)(1 << instruction.Destination);
        var source = (ushort)(1 << instruction.Source);
        var operand = instruction.UsesSourceRegister ? source : (ushort)0;
        switch (instruction.Class)
        {
            case InstructionClass.Alu or InstructionClass.Alu64:
                return instruction.AluOperation switch
                {
                    AluOperation.Mov => (operand, destination),
                    AluOperation.Neg or AluOperation.End => (destination, destination),
                    _ => ((ushort)(destination | operand), destination),
                };
            case InstructionClass.Ld:
                return (0, destination);
            case InstructionClass.Ldx:
                return (source, destination);
            case InstructionClass.St:
                return (destination, 0);
            case InstructionClass.Stx when instruction.MemoryMode == MemoryMode.Atomic:
                var both = (ushort)(destination | source);
                return (AtomicOperation)instruction.Immediate switch
                {
                    AtomicOperation.LoadAcquire => (source, destination),
                    AtomicOperation.StoreRelease => (both, 0),
                    AtomicOperation.CompareExchange => ((ushort)(both | 1), 1),
                    var operation => (both, operation.HasFlag(AtomicOperation.Fetch) ? source : (ushort)0),
                };
            case InstructionClass.Stx:
                return ((ushort)(destination | source), 0);
            default:
                return instruction.JumpOperation switch
                {
                    JumpOperation.Ja => (0, 0),
                    JumpOperation.Call => (ArgumentRegisters, CallerSaved),
                    JumpOperation.Exit => (1, 0),
                    _ => ((ushort)(destination | operand), 0),
                };
        }
    }

    private ulong SlotsBefore(int slot, Instruction instruction, ulong after)
    {
        switch (instruction.Class)
        {
            case InstructionClass.Ldx:
                return after | SlotsRead(PointerIn(slot, instruction.Source), instruction);
            case InstructionClass.Stx when instruction.MemoryMode == MemoryMode.Atomic:
                var pointer =
                    instruction.Immediate == (int)AtomicOperation.LoadAcquire
                        ? instruction.Source
                        : instruction.Destination;
                return after | SlotsRead(PointerIn(slot, pointer), instruction);
            case InstructionClass.St or InstructionClass.Stx:
                var offset = PointerIn(slot, instruction.Destination) + instruction.Offset;
                var isWholeSlot =
                    PointerIn(slot, instruction.Destination) <= 0
                    && instruction.AccessSize == StackSlot.Size
                    && offset is < 0 and >= -FunctionFrame.MaxStack
                    && offset % StackSlot.Size == 0;
                return isWholeSlot ? after & ~(1ul << FunctionFrame.SlotOf(offset)) : after;
            case InstructionClass.Jmp when instruction.JumpOperation == JumpOperation.Call:
                return after | SlotsReadByCall(slot, instruction.IsLocalCall);
            default:
                return after;
        }
    }

    private static ulong SlotsRead(short pointer, Instruction instruction)
    {
        if (pointer is NoStackPointer or NotSeen)
        {
            return 0;
        }
        var (low, high) = (pointer + instruction.Offset, pointer + instruction.Offset + instruction.AccessSize - 1);
        if (pointer == AnyStackPointer || low < -FunctionFrame.MaxStack || high >= 0)
        {
            return AllSlots;
        }
        return (1ul << FunctionFrame.SlotOf(low)) | (1ul << FunctionFrame.SlotOf(high));
    }

    /// <summary>A helper reads from a pointer it gets upwards, how far is not known; a function may do anything with it.</summary>
    private ulong SlotsReadByCall(int slot, bool isLocal)
    {
        var lowest = 0;
        for (var register = 1; register <= 5; register++)
        {
            var pointer = PointerIn(slot, register);
            if (pointer is NoStackPointer or NotSeen)
            {
                continue;
            }
            if (isLocal || pointer == AnyStackPointer)
            {
                _passesStack[slot] = true;
                return AllSlots;
            }
            lowest = Math.Min(lowest, pointer);
        }
        return lowest == 0 ? 0 : AllSlots >> (63 - FunctionFrame.SlotOf(lowest));
    }

    /// <summary>Slots to look at, each at most once at a time.</summary>
    private sealed class Worklist(int length)
    {
        private readonly Stack<int> _pending = new();
        private readonly BitArray _isPending = new(length);

        public void Add(int slot)
        {
            if (!_isPending[slot])
            {
                _isPending[slot] = true;
                _pending.Push(slot);
            }
        }

        public bool TryTake(out int slot)
        {
            if (!_pending.TryPop(out slot))
            {
                return false;
            }
            _isPending[slot] = false;
            return true;
        }
    }
}
