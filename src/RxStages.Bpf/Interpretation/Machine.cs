using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using RxStages.Bpf.Helpers;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Interpretation;

/// <summary>
/// One run of a program: registers, stack frames and the loop that carries out instruction after instruction. Expects a
/// program that <see cref="InstructionValidator"/> accepted, its map references replaced by addresses.
/// </summary>
internal unsafe ref struct Machine
{
    private readonly ReadOnlySpan<Instruction> _program;
    private readonly HelperCalls _helpers;
    private readonly long _limit;
    private Registers _registers;
    private Callers _callers;
    private MayGotoRounds _mayGotoRounds;
    private long _count;
    private bool _isFinished;

    /// <summary>Sets up a run that starts at slot 0.</summary>
    /// <param name="program">The program.</param>
    /// <param name="helpers">Who carries out its helper calls.</param>
    /// <param name="limit">How many instructions it may carry out.</param>
    /// <param name="stack"><see cref="AddressSpace.StackSize"/> bytes that live as long as the run.</param>
    /// <param name="memory">What else it may touch.</param>
    public Machine(ReadOnlySpan<Instruction> program, HelperCalls helpers, long limit, byte* stack, AddressSpace memory)
    {
        _program = program;
        _helpers = helpers;
        _limit = limit;
        Memory = memory;
        Memory.Stack = stack;
    }

    /// <summary>The memory that the program may touch.</summary>
    public AddressSpace Memory;

    /// <summary>The worker's state, for helpers; null in a program that is not for XDP.</summary>
    public BpfRuntime* Runtime;

    /// <summary>True when a tail call ended the run by a fault of the program that it jumped to.</summary>
    public bool IsAborted { get; private set; }

    /// <summary>The instruction that is being carried out.</summary>
    public int Slot { get; private set; }

    /// <summary>A register, 0 to 10.</summary>
    [UnscopedRef]
    public ref ulong this[int register] => ref _registers[register];

    /// <summary>Runs a function to its end.</summary>
    /// <param name="function">The slot that it starts at.</param>
    /// <returns>r0.</returns>
    /// <exception cref="MachineFault">The program did something forbidden, at <see cref="Slot"/>.</exception>
    public ulong Run(int function = 0)
    {
        Enter(function);
        RunWhileIn(frames: 1);
        return _registers[0];
    }

    /// <summary>Calls a function back, as helpers do, and runs it to its end.</summary>
    /// <returns>What it returns, or 1 when the run is at its end: nobody is to be called any more.</returns>
    /// <exception cref="MachineFault">It did something forbidden.</exception>
    public ulong CallBack(int function, ulong r1, ulong r2, ulong r3 = 0, ulong r4 = 0)
    {
        var (helperCall, frames) = (Slot, Memory.Frames);
        Call(function);
        (_registers[1], _registers[2], _registers[3], _registers[4], _registers[5]) = (r1, r2, r3, r4, 0);
        RunWhileIn(frames + 1);
        Slot = helperCall;
        return _isFinished ? 1 : _registers[0];
    }

    /// <summary>Goes on until so many frames are no longer there.</summary>
    private void RunWhileIn(int frames)
    {
        for (; !_isFinished && Memory.Frames >= frames; _count++)
        {
            if (_count == _limit)
            {
                throw new MachineFault($"the program did not end within {_limit} instructions");
            }
            var instruction = _program[Slot];
            switch (instruction.Class)
            {
                case InstructionClass.Alu or InstructionClass.Alu64:
                    ref var result = ref _registers[instruction.Destination];
                    result = Arithmetic.Compute(instruction, result, Operand(instruction));
                    Slot++;
                    break;
                case InstructionClass.Jmp or InstructionClass.Jmp32:
                    Jump(instruction);
                    break;
                case InstructionClass.Ldx:
                    _registers[instruction.Destination] = Load(instruction);
                    Slot++;
                    break;
                case InstructionClass.St or InstructionClass.Stx:
                    Store(instruction);
                    Slot++;
                    break;
                default:
                    _registers[instruction.Destination] = WideImmediate(instruction);
                    Slot += 2;
                    break;
            }
        }
    }

    /// <summary>Leaves the present function, as <c>exit</c> does and a tail call that succeeded.</summary>
    public void Return()
    {
        Memory.Frames--;
        if (Memory.Frames == 0)
        {
            _isFinished = true;
            return;
        }
        ref var caller = ref _callers[Memory.Frames - 1];
        Slot = caller.ReturnSlot;
        (_registers[6], _registers[7], _registers[8], _registers[9]) = (caller.R6, caller.R7, caller.R8, caller.R9);
        _registers[10] = Memory.FramePointer(Memory.Frames - 1);
    }

    /// <summary>Ends the run after a fault that was told already.</summary>
    public void Abort()
    {
        IsAborted = true;
        _isFinished = true;
    }

    private readonly ulong Operand(Instruction instruction) =>
        instruction.UsesSourceRegister ? _registers[instruction.Source] : (ulong)instruction.Immediate;

    private readonly ulong WideImmediate(Instruction instruction) =>
        instruction.Source == PseudoLoad.Function
            ? (ulong)instruction.CallTarget(Slot)
            : ((ulong)_program[Slot + 1].Immediate << 32) | (uint)instruction.Immediate;

    private void Jump(Instruction instruction)
    {
        switch (instruction.JumpOperation)
        {
            case JumpOperation.Ja:
                Slot = instruction.JumpTarget(Slot);
                break;
            case JumpOperation.Exit:
                Return();
                break;
            case JumpOperation.Call when instruction.IsLocalCall:
                Call(instruction.CallTarget(Slot));
                break;
            case JumpOperation.Call when instruction.IsKfuncCall:
                _helpers.CallKfunc(ref this, instruction.Immediate);
                Slot++;
                break;
            case JumpOperation.Call:
                var frames = Memory.Frames;
                var isByRegister = instruction.Opcode == Opcode.CallRegister;
                _helpers.Call(
                    ref this,
                    isByRegister ? _registers[instruction.CalledRegister] : (ulong)instruction.Immediate
                );
                // A tail call that succeeded has left the function.
                Slot += frames == Memory.Frames ? 1 : 0;
                break;
            case JumpOperation.Jcond:
                ref var rounds = ref _mayGotoRounds[Memory.Frames - 1];
                Slot = rounds == 0 ? instruction.JumpTarget(Slot) : Slot + 1;
                rounds -= rounds == 0 ? 0 : 1;
                break;
            default:
                Slot = Arithmetic.IsTaken(instruction, _registers[instruction.Destination], Operand(instruction))
                    ? instruction.JumpTarget(Slot)
                    : Slot + 1;
                break;
        }
    }

    private void Call(int target)
    {
        if (Memory.Frames == AddressSpace.MaxFrames)
        {
            throw new MachineFault($"the call stack of {AddressSpace.MaxFrames} frames is too deep");
        }
        _callers[Memory.Frames - 1] = new Caller(Slot + 1, _registers[6], _registers[7], _registers[8], _registers[9]);
        Enter(target);
    }

    private void Enter(int slot)
    {
        var framePointer = Memory.FramePointer(Memory.Frames++);
        // The same run must always give the same result, also of a program that reads what it never wrote.
        Unsafe.InitBlock((byte*)framePointer - AddressSpace.FrameSize, 0, AddressSpace.FrameSize);
        _registers[10] = framePointer;
        _mayGotoRounds[Memory.Frames - 1] = BpfRuntime.MaxLoops;
        Slot = slot;
    }

    private readonly ulong Load(Instruction instruction)
    {
        var address = _registers[instruction.Source] + (ulong)instruction.Offset;
        if (Memory.IsContext(address))
        {
            var field = Memory.ReadContext(address, instruction.AccessSize, out var isPointer);
            return instruction.MemoryMode == MemoryMode.Mem ? field
                : isPointer ? throw new MachineFault("a packet pointer may not be read with sign extension")
                : (ulong)(int)field;
        }
        if (Memory.Granted?.IsInStructure(address) == true)
        {
            return LoadProbed(instruction, address);
        }
        var memory = Memory.Check(address, (ulong)instruction.AccessSize, Access.Read);
        return (instruction.AccessSize, instruction.MemoryMode == MemoryMode.MemSx) switch
        {
            (1, false) => *memory,
            (2, false) => Unsafe.ReadUnaligned<ushort>(memory),
            (4, false) => Unsafe.ReadUnaligned<uint>(memory),
            (1, true) => (ulong)*(sbyte*)memory,
            (2, true) => (ulong)Unsafe.ReadUnaligned<short>(memory),
            (4, true) => (ulong)Unsafe.ReadUnaligned<int>(memory),
            _ => Unsafe.ReadUnaligned<ulong>(memory),
        };
    }

    /// <summary>What is read of a structure of the kernel may be a pointer to another.</summary>
    private readonly ulong LoadProbed(Instruction instruction, ulong address)
    {
        var value = ProbedMemory.Load(Runtime, address, instruction.AccessSize);
        if (instruction.AccessSize == 8)
        {
            Memory.Granted.AddStructure(value);
        }
        return (instruction.AccessSize, instruction.MemoryMode == MemoryMode.MemSx) switch
        {
            (1, true) => (ulong)(sbyte)value,
            (2, true) => (ulong)(short)value,
            (4, true) => (ulong)(int)value,
            _ => value,
        };
    }

    private void Store(Instruction instruction)
    {
        if (instruction.MemoryMode == MemoryMode.Atomic)
        {
            Atomics.Execute(ref this, instruction);
            return;
        }
        var address = _registers[instruction.Destination] + (ulong)instruction.Offset;
        var value =
            instruction.Class == InstructionClass.Stx ? _registers[instruction.Source] : (ulong)instruction.Immediate;
        CheckNotContext(address);
        var memory = Memory.Check(address, (ulong)instruction.AccessSize, Access.Write);
        switch (instruction.AccessSize)
        {
            case 1:
                *memory = (byte)value;
                break;
            case 2:
                Unsafe.WriteUnaligned(memory, (ushort)value);
                break;
            case 4:
                Unsafe.WriteUnaligned(memory, (uint)value);
                break;
            default:
                Unsafe.WriteUnaligned(memory, value);
                break;
        }
    }

    /// <summary>Refuses to change the context, of which XDP programs may write nothing.</summary>
    /// <exception cref="MachineFault">The address is in the context.</exception>
    public readonly void CheckNotContext(ulong address)
    {
        if (Memory.IsContext(address))
        {
            throw new MachineFault("the context may not be written");
        }
    }

    /// <summary>What a local call keeps of its caller.</summary>
    private record struct Caller(int ReturnSlot, ulong R6, ulong R7, ulong R8, ulong R9);

    [InlineArray(AddressSpace.MaxFrames - 1)]
    private struct Callers
    {
        private Caller _first;
    }

    /// <summary>By frame: how often <c>may_goto</c> may still stay in a loop.</summary>
    [InlineArray(AddressSpace.MaxFrames)]
    private struct MayGotoRounds
    {
        private int _first;
    }

    [InlineArray(11)]
    private struct Registers
    {
        private ulong _first;
    }
}
