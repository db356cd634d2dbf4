using System.Collections;
using System.Collections.Immutable;
using RxStages.Bpf.Helpers;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Kfuncs;
using RxStages.Bpf.Objects;

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

    // What a register may be, as a stack pointer of its own function: an offset (0 and below), or one of these; or, as
    // what helpers read depends on it, a map: its index above FirstMap.
    private const short NoStackPointer = 1;
    private const short AnyStackPointer = 2;
    private const short NotSeen = 3;
    private const short FirstMap = 16;

    private readonly ProgramSpec _program;
    private readonly Instruction[] _code;
    private readonly ImmutableArray<MapSpec> _maps;
    private readonly ControlFlow _flow;
    private readonly ushort[] _registers;
    private readonly ulong[] _slots;
    private readonly short[] _pointers;
    private readonly bool[] _passesStack;
    private readonly List<int>[] _jumpsTo;

    /// <summary>Computes it for all functions.</summary>
    /// <param name="program">The program.</param>
    /// <param name="code">Its instructions.</param>
    /// <param name="maps">Its maps.</param>
    /// <param name="flow">Its control flow.</param>
    /// <param name="order">The functions, callers before those they call.</param>
    public Liveness(
        ProgramSpec program,
        Instruction[] code,
        ImmutableArray<MapSpec> maps,
        ControlFlow flow,
        ReadOnlySpan<int> order
    )
    {
        _program = program;
        _code = code;
        _maps = maps;
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
        for (var index = order.Length - 1; index >= 0; index--)
        {
            FlowBackward(flow.Functions[order[index]]);
        }
        _pointers = [];
        _jumpsTo = [];
    }

    /// <summary>By bit: registers that may be read from a slot on before they are written.</summary>
    public ushort RegistersBefore(int slot) => _registers[slot];

    /// <summary>By bit: stack slots of the function that may be read from a slot on before they are overwritten.</summary>
    public ulong SlotsBefore(int slot) => _slots[slot];

    /// <summary>
    /// The registers live in a frame whose call at a slot is in progress. A function that is called back returns to the call
    /// itself, which is made once more.
    /// </summary>
    public ushort RegistersDuringCall(int callSite) =>
        _flow.CallsBack[callSite] ? _registers[callSite] : (ushort)(_registers[callSite + 1] & ~CallerSaved);

    /// <summary>The stack slots live in a frame whose call at a slot is in progress: all when the callee may reach them.</summary>
    public ulong SlotsDuringCall(int callSite) =>
        _passesStack[callSite] ? AllSlots
        : _flow.CallsBack[callSite] ? _slots[callSite]
        : _slots[callSite + 1];

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
            var joined = Join(into[register], from[register]);
            hasChanged |= joined != into[register];
            into[register] = joined;
        }
        return hasChanged;
    }

    private static short Join(short a, short b)
    {
        if (a == b || a == NotSeen)
        {
            return b;
        }
        return IsStackPointer(a) || IsStackPointer(b) ? AnyStackPointer : NoStackPointer;
    }

    /// <summary>True for what may be a stack pointer.</summary>
    private static bool IsStackPointer(short pointer) => pointer is <= 0 or AnyStackPointer;

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
                pointers[destination] =
                    instruction.Source == PseudoLoad.MapIndex && instruction.Immediate < short.MaxValue - FirstMap
                        ? (short)(FirstMap + instruction.Immediate)
                        : NoStackPointer;
                break;
            case InstructionClass.Ldx:
                pointers[destination] =
                    fillsAreStackPointers && IsStackPointer(PointerIn(slot, source)) ? AnyStackPointer : NoStackPointer;
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
                return IsStackPointer(destination) || IsStackPointer(operand) ? AnyStackPointer : NoStackPointer;
        }
    }

    private bool AreStackPointersStored()
    {
        for (var slot = 0; slot < _code.Length; slot = _flow.Next(slot))
        {
            if (_code[slot].Class == InstructionClass.Stx && IsStackPointer(PointerIn(slot, _code[slot].Source)))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Backward: what is read before it is written. The functions that this one calls are done.</summary>
    private void FlowBackward(FunctionSpec function)
    {
        var pending = new Worklist(_code.Length);
        for (var slot = function.Start; slot < function.Start + function.Length; slot = _flow.Next(slot))
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
            if (previous >= function.Start)
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
        var (read, written) = RegisterUse(slot, instruction);
        registers = (ushort)((registers & ~written) | read);
        return (registers, SlotsBefore(slot, instruction, slots));
    }

    /// <summary>The registers that an instruction reads and those it writes, by bit.</summary>
    private (ushort Read, ushort Written) RegisterUse(int slot, Instruction instruction)
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
                    JumpOperation.Ja or JumpOperation.Jcond => (0, 0),
                    JumpOperation.Call => (ArgumentsRead(slot, instruction), CallerSaved),
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
                return after | SlotsReadByCall(slot, instruction);
            default:
                return after;
        }
    }

    /// <summary>The arguments that a call reads: those of a helper's signature, or those live where the function starts.</summary>
    private ushort ArgumentsRead(int slot, Instruction call)
    {
        if (call.IsLocalCall)
        {
            var target = call.CallTarget(slot);
            return _flow.Functions[_flow.FunctionOf(target)].Prototype is { Parameters.Length: var count }
                ? (ushort)(((1 << count) - 1) << 1)
                : (ushort)(_registers[target] & ArgumentRegisters);
        }
        return CalledFunction.Find(_program, call) is { } helper
            ? (ushort)(((1 << helper.Arguments.Length) - 1) << 1)
            : ArgumentRegisters;
    }

    private static ulong SlotsRead(short pointer, Instruction instruction) =>
        IsStackPointer(pointer) ? SlotsRead(pointer, instruction.Offset, instruction.AccessSize) : 0;

    private static ulong SlotsRead(short pointer, int offset, long size)
    {
        var (low, high) = (pointer + offset, pointer + offset + size - 1);
        if (pointer == AnyStackPointer || low < -FunctionFrame.MaxStack || high >= 0)
        {
            return AllSlots;
        }
        return size <= 0
            ? 0
            : (AllSlots >> (63 - FunctionFrame.SlotOf(low))) & (AllSlots << FunctionFrame.SlotOf((int)high));
    }

    /// <summary>What a function does with a stack pointer it gets is not followed; helpers read what their signature says.</summary>
    private ulong SlotsReadByCall(int slot, Instruction call)
    {
        var helper = call.IsLocalCall ? null : CalledFunction.Find(_program, call);
        var hasCallback = _flow.CallsBack[slot];
        var slots = 0ul;
        for (var register = 1; register <= (helper?.Arguments.Length ?? 5); register++)
        {
            var pointer = PointerIn(slot, register);
            if (!IsStackPointer(pointer))
            {
                continue;
            }
            _passesStack[slot] |= call.IsLocalCall || hasCallback;
            slots |= helper is null || hasCallback ? AllSlots : SlotsReadByHelper(slot, helper, register, pointer);
        }
        return slots;
    }

    private ulong SlotsReadByHelper(int slot, FunctionDefinition helper, int register, short pointer)
    {
        var argument = helper.Arguments[register - 1].Type;
        if (argument is ArgumentType.MapKey or ArgumentType.MapValue)
        {
            var map = PointerIn(slot, helper.Arguments.IndexOf(ArgumentType.ConstMapPointer) + 1);
            if (map >= FirstMap)
            {
                var spec = _maps[map - FirstMap];
                return SlotsRead(pointer, 0, argument == ArgumentType.MapKey ? spec.KeySize : spec.ValueSize);
            }
        }
        // From the pointer on, how far is not known.
        return argument == ArgumentType.WritableMemory ? 0 : SlotsRead(pointer, 0, -pointer);
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
