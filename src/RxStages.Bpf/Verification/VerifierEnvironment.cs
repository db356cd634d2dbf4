using System.Collections.Immutable;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Verification;

/// <summary>
/// What all checks of one verification share, after the kernel's <c>struct bpf_verifier_env</c>: the program, the path in
/// progress, the branches still to be gone, and what was proved so far.
/// </summary>
internal sealed class VerifierEnvironment
{
    private readonly Stack<(VerifierState State, int Slot)> _pending = new();
    private readonly Stack<VerifierState> _free = new();
    private uint _lastId;
    private bool _isRecorded;

    public VerifierEnvironment(ProgramSpec program, ImmutableArray<MapSpec> maps, VerifierOptions options)
    {
        Program = program;
        Maps = maps;
        Options = options;
        Code = [.. program.Instructions];
        Facts = new InstructionFacts[Code.Length];
        Functions = new FunctionFindings[program.Functions.Length];
        Flow = new ControlFlow(program, Code);
        Precision = new PrecisionTracker(this);
        State = new VerifierState();
        State.Start();
    }

    /// <summary>What was found of a function.</summary>
    internal struct FunctionFindings
    {
        /// <summary>Bytes of stack used.</summary>
        public int StackDepth;

        /// <summary>True when some path reads bytes of its stack that were not written.</summary>
        public bool ReadsUninitializedStack;

        /// <summary>True when it makes a tail call itself.</summary>
        public bool MakesTailCall;
    }

    public ProgramSpec Program { get; }

    public ImmutableArray<MapSpec> Maps { get; }

    public VerifierOptions Options { get; }

    public Instruction[] Code { get; }

    public ControlFlow Flow { get; }

    public InstructionFacts[] Facts { get; }

    public FunctionFindings[] Functions { get; }

    public PrecisionTracker Precision { get; }

    /// <summary>The path in progress.</summary>
    public VerifierState State { get; private set; }

    /// <summary>The slot of the instruction in progress.</summary>
    public int Slot { get; set; }

    /// <summary>Instructions looked at so far.</summary>
    public long InstructionsVisited { get; private set; }

    /// <summary>Jumps looked at so far.</summary>
    public long JumpsVisited { get; set; }

    /// <summary>Bytes of memory that states take now, about.</summary>
    public long StateMemory { get; private set; }

    /// <summary>Work done on comparing states.</summary>
    public long Comparisons { get; private set; }

    /// <summary>The stack slot that the instruction in progress spilled to or filled from.</summary>
    public StackReference Spill { get; set; }

    /// <summary>The instruction in progress.</summary>
    public Instruction Instruction => Code[Slot];

    /// <summary>The registers of the frame in progress.</summary>
    public RegisterState[] Registers => State.Registers;

    /// <summary>An id that no register has.</summary>
    public uint NewId() => ++_lastId;

    /// <summary>A register that is about to be read: it must hold something.</summary>
    public ref RegisterState Read(int register)
    {
        ref var state = ref State.Registers[register];
        if (state.Type == RegisterType.NotInitialized)
        {
            throw Reject(
                $"r{register} is read, but holds nothing here",
                register is > 0 and <= 5
                        ? "a call leaves nothing in r1 to r5; packet pointers hold nothing after a helper that may move the packet: read data and data_end from the context again"
                    : register == 0 ? "set r0 on every path, as the return value before exit"
                    : null
            );
        }
        return ref state;
    }

    /// <summary>Starts an instruction.</summary>
    public void Begin(int slot)
    {
        Slot = slot;
        Spill = default;
        _isRecorded = false;
        Facts[slot].IsReachable = true;
        if (++InstructionsVisited > Options.MaxInstructionsVisited)
        {
            throw Reject(
                $"the program is too complex: more than {Options.MaxInstructionsVisited} instructions were looked at, over all paths",
                "shorten loops, or give the verifier less to tell apart: fewer branches whose outcomes are kept in variables"
            );
        }
    }

    /// <summary>
    /// Adds the instruction in progress to the path's history, once. What precision it needs must be asked for before.
    /// </summary>
    public void Record(LinkedRegisters linked = default, bool returns = false)
    {
        if (!_isRecorded)
        {
            _isRecorded = true;
            State.History.Add(new PathHistory.Entry(Slot, Spill, linked, returns));
        }
    }

    /// <summary>Keeps a copy of the path in progress, to go on from a slot later.</summary>
    public VerifierState PushBranch(int slot)
    {
        if (_pending.Count >= Options.MaxPendingBranches)
        {
            throw Reject(
                $"the program is too complex: more than {Options.MaxPendingBranches} branches wait to be followed"
            );
        }
        if (!_free.TryPop(out var branch))
        {
            branch = new VerifierState();
        }
        branch.CopyFramesFrom(State);
        branch.History.CopyFrom(State.History);
        branch.Parent = State.Parent;
        if (State.Parent is { } parent)
        {
            parent.Branches++;
        }
        TakeMemory(branch.MemorySize);
        _pending.Push((branch, slot));
        return branch;
    }

    /// <summary>Ends the path in progress and takes up the one put aside last. False when there is none.</summary>
    public bool TryNextPath(out int slot)
    {
        for (var state = State.Parent; state is not null && --state.Branches == 0; )
        {
            // Nobody goes back through it any more.
            var parent = state.Parent;
            TakeMemory(state.IsEvicted ? -state.MemorySize : -state.History.MemorySize);
            state.History.Release();
            state.Parent = null;
            state = parent;
        }
        if (!_pending.TryPop(out var next))
        {
            slot = -1;
            return false;
        }
        if (_free.Count < 64)
        {
            State.History.Clear();
            State.Parent = null;
            _free.Push(State);
        }
        TakeMemory(-next.State.MemorySize);
        (State, slot) = next;
        return true;
    }

    /// <summary>Counts memory taken or given back by states.</summary>
    public void TakeMemory(long bytes)
    {
        StateMemory += bytes;
        if (StateMemory > Options.MaxStateMemory)
        {
            throw Reject(
                $"the program is too complex: its states take more than {Options.MaxStateMemory >> 20} MiB of memory"
            );
        }
    }

    /// <summary>Counts work done on comparing states.</summary>
    public void TakeComparisons(int count)
    {
        Comparisons += count;
        if (Comparisons > Options.MaxComparisons)
        {
            throw Reject("the program is too complex: too many of its states must be compared");
        }
    }

    /// <summary>Notes what memory the instruction in progress accesses.</summary>
    public void NoteRegion(MemoryRegion region)
    {
        ref var fact = ref Facts[Slot].Region;
        if (fact == MemoryRegion.None || fact == region)
        {
            fact = region;
        }
        else if (fact == MemoryRegion.Context || region == MemoryRegion.Context)
        {
            throw Reject(
                "the same instruction accesses the context on one path and other memory on another",
                "the compiler merged two accesses: keep them apart, for example with a barrier() in between"
            );
        }
        else
        {
            fact = MemoryRegion.Mixed;
        }
    }

    /// <summary>Makes the error that the instruction in progress is rejected with.</summary>
    public VerificationException Reject(string problem, string? hint = null) => RejectAt(Slot, problem, hint);

    /// <summary>Makes the error that an instruction is rejected with.</summary>
    public VerificationException RejectAt(int slot, string problem, string? hint = null) =>
        new(Program, slot, problem, hint);
}
