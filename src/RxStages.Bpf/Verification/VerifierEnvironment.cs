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
    private readonly ImmutableArray<int> _templates;
    private uint _lastId;
    private bool _isRecorded;

    public VerifierEnvironment(ProgramSpec program, ImmutableArray<MapSpec> maps, VerifierOptions options)
    {
        Program = program;
        _templates =
        [
            .. maps.Select((map, index) => (map, index)).Where(m => m.map.Inner is not null).Select(m => m.index),
        ];
        Maps = [.. maps, .. _templates.Select(index => maps[index].Inner!)];
        Options = options;
        Code = [.. program.Instructions];
        Facts = new InstructionFacts[Code.Length];
        Functions = new FunctionFindings[program.Functions.Length];
        Flow = new ControlFlow(program, Code);
        Loops = new LoopVisits(Flow);
        Precision = new PrecisionTracker(this);
        References = new ReferenceTracker(this);
        KernelTypes = new KernelTypes(this);
        State = new VerifierState();
        State.Start(function: 0);
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

        /// <summary>For global functions: true when some path calls it, so that it is or will be verified.</summary>
        public bool IsStarted;

        /// <summary>True when a timer calls it, on a stack of its own.</summary>
        public bool IsAsyncCallback;
    }

    public ProgramSpec Program { get; }

    /// <summary>
    /// The program's maps, and behind them, for each map of maps, the template that its inner maps follow: what is known of a
    /// map that a look-up gives.
    /// </summary>
    public ImmutableArray<MapSpec> Maps { get; }

    public VerifierOptions Options { get; }

    public Instruction[] Code { get; }

    public ControlFlow Flow { get; }

    public InstructionFacts[] Facts { get; }

    public FunctionFindings[] Functions { get; }

    public PrecisionTracker Precision { get; }

    public ReferenceTracker References { get; }

    public KernelTypes KernelTypes { get; }

    /// <summary>True when what was proved holds only for as many CPUs as the options say.</summary>
    public bool DependsOnCpuCount { get; set; }

    /// <summary>The loops that paths are in.</summary>
    public LoopVisits Loops { get; }

    /// <summary>By slot of a call: the functions that it calls back, by index.</summary>
    public SortedDictionary<int, SortedSet<int>> Callbacks { get; } = [];

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

    /// <summary>The index in <see cref="Maps"/> of the template of a map of maps, or -1 for other maps.</summary>
    public int TemplateOf(int map) =>
        _templates.IndexOf(map) is >= 0 and var position ? Maps.Length - _templates.Length + position : -1;

    /// <summary>True for templates: which map it is, is not known.</summary>
    public bool IsTemplate(int map) => map >= Maps.Length - _templates.Length;

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
                register is > 0 and <= 5 ? "a call leaves nothing in r1 to r5"
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
    public void Record(LinkedRegisters linked = default, FrameCrossing crossing = FrameCrossing.None)
    {
        if (!_isRecorded)
        {
            _isRecorded = true;
            State.History.Add(new PathHistory.Entry(Slot, Spill, linked, crossing));
        }
    }

    /// <summary>Keeps a copy of the path in progress, to go on from a slot later.</summary>
    public VerifierState PushBranch(int slot)
    {
        var branch = TakeFree();
        branch.CopyFramesFrom(State);
        branch.History.CopyFrom(State.History);
        branch.Parent = State.Parent;
        branch.KeptBefore = State.KeptBefore;
        if (State.Parent is { } parent)
        {
            parent.Branches++;
        }
        TakeMemory(branch.MemorySize);
        _pending.Push((branch, slot));
        return branch;
    }

    /// <summary>Starts a path of its own with a function, without a caller, to be gone later.</summary>
    public FunctionFrame PushFunction(int function)
    {
        var start = TakeFree();
        var frame = start.Start(function);
        TakeMemory(start.MemorySize);
        _pending.Push((start, Flow.Functions[function].Start));
        return frame;
    }

    private VerifierState TakeFree()
    {
        if (_pending.Count >= Options.MaxPendingBranches)
        {
            throw Reject(
                $"the program is too complex: more than {Options.MaxPendingBranches} branches wait to be followed"
            );
        }
        return _free.TryPop(out var state) ? state : new VerifierState();
    }

    /// <summary>Ends the path in progress and takes up the one put aside last. False when there is none.</summary>
    public bool TryNextPath(out int slot)
    {
        for (var state = State.Parent; state is not null && --state.Branches == 0; )
        {
            var parent = state.Parent;
            Finish(state);
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

    /// <summary>No path from a kept state is left.</summary>
    private void Finish(VerifierState state)
    {
        if (state.Loop is { } loop)
        {
            if (loop.Entry != state && loop.IsIncomplete)
            {
                loop.Hold(state);
                return;
            }
            if (loop.Entry == state)
            {
                Loops.Leave(loop);
                foreach (var held in loop.Complete(this))
                {
                    Release(held);
                }
            }
        }
        Release(state);
    }

    /// <summary>Nobody goes back through a kept state any more.</summary>
    private void Release(VerifierState state)
    {
        TakeMemory(state.IsEvicted ? -state.MemorySize : -state.History.MemorySize);
        state.IsHeld = false;
        state.History.Release();
        state.Parent = null;
        state.Loop = null;
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
        else if (IsTranslated(fact) || IsTranslated(region))
        {
            throw Reject(
                $"the same instruction accesses {DescribeTranslated(fact, region)} on one path and other memory on another",
                "the compiler merged two accesses: keep them apart, for example with a barrier() in between"
            );
        }
        else
        {
            fact = MemoryRegion.Mixed;
        }
    }

    /// <summary>True for memory whose accesses are not plain ones (the kernel's <c>reg_type_mismatch_ok</c>).</summary>
    private static bool IsTranslated(MemoryRegion region) => region is MemoryRegion.Context or MemoryRegion.Probed;

    private static string DescribeTranslated(MemoryRegion one, MemoryRegion other) =>
        one == MemoryRegion.Context || other == MemoryRegion.Context ? "the context" : "a structure of the kernel";

    /// <summary>Makes the error that the instruction in progress is rejected with.</summary>
    public VerificationException Reject(string problem, string? hint = null) => RejectAt(Slot, problem, hint);

    /// <summary>Makes the error that an instruction is rejected with.</summary>
    public VerificationException RejectAt(int slot, string problem, string? hint = null) =>
        new(Program, slot, problem, hint);
}
