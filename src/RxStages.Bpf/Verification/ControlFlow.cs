using RxStages.Bpf.Helpers;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Kfuncs;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Verification;

/// <summary>
/// Where control can go, from the instructions alone: which are reached, where paths meet, which function calls which.
/// The program's structure must be valid (<see cref="InstructionValidator"/>).
/// </summary>
internal sealed class ControlFlow
{
    private readonly Instruction[] _code;
    private readonly int[] _functionOf;
    private readonly int[] _loopOf;

    /// <summary>Follows all jumps and calls.</summary>
    public ControlFlow(ProgramSpec program, Instruction[] code)
    {
        _code = code;
        Functions = [.. program.Functions];
        _functionOf = new int[code.Length];
        for (var index = 0; index < Functions.Length; index++)
        {
            _functionOf.AsSpan(Functions[index].Start, Functions[index].Length).Fill(index);
        }
        IsReached = new bool[code.Length];
        IsPrunePoint = new bool[code.Length];
        IsCheckpoint = new bool[code.Length];
        CallsBack = new bool[code.Length];
        IsIteratorNext = new bool[code.Length];
        Calls = NewLists(Functions.Length);
        References = NewLists(Functions.Length);
        ChangesPacketData = new bool[Functions.Length];
        Follow(program);
        SpreadPacketChanges();
        _loopOf = new LoopFinder(this).Find(Functions, code.Length);
    }

    /// <summary>The functions; the entry first.</summary>
    public FunctionSpec[] Functions { get; }

    /// <summary>By slot: true when some way through the program's jumps leads there.</summary>
    public bool[] IsReached { get; }

    /// <summary>By slot: true where paths meet or part, so that comparing states pays.</summary>
    public bool[] IsPrunePoint { get; }

    /// <summary>
    /// By slot: true where a state is always kept, since loops that end for reasons outside of the program's numbers are
    /// recognised there: calls that call back, <c>may_goto</c>, iterators.
    /// </summary>
    public bool[] IsCheckpoint { get; }

    /// <summary>By slot: true for the call of a helper that calls a function of the program back before it returns.</summary>
    public bool[] CallsBack { get; }

    /// <summary>By slot: true for the call of a kfunc that advances an open-coded iterator.</summary>
    public bool[] IsIteratorNext { get; }

    /// <summary>By function: the calls it makes.</summary>
    public List<(int CallSite, int Callee)>[] Calls { get; }

    /// <summary>By function: the functions whose address it takes, and where.</summary>
    public List<(int CallSite, int Callee)>[] References { get; }

    /// <summary>By function: true when it, or a function that it calls, calls what may move the packet's boundaries.</summary>
    public bool[] ChangesPacketData { get; }

    /// <summary>The number of the loop that a slot is in, from 1; 0 if it is in none. A call that calls back is a loop of its own.</summary>
    public int LoopOf(int slot) => _loopOf[slot];

    /// <summary>The function that a slot belongs to.</summary>
    public int FunctionOf(int slot) => _functionOf[slot];

    /// <summary>The slot behind an instruction.</summary>
    public int Next(int slot) => slot + (_code[slot].IsWide ? 2 : 1);

    /// <summary>
    /// The slots that may follow an instruction inside its function: -1 for none. A call is followed by what stands behind it.
    /// </summary>
    public (int First, int Second) Successors(int slot)
    {
        var instruction = _code[slot];
        if (!instruction.IsJump || instruction.JumpOperation == JumpOperation.Call)
        {
            return (Next(slot), -1);
        }
        return instruction.JumpOperation switch
        {
            JumpOperation.Exit => (-1, -1),
            JumpOperation.Ja => (instruction.JumpTarget(slot), -1),
            _ => (slot + 1, instruction.JumpTarget(slot)),
        };
    }

    /// <summary>The first slot that no path leads to, or -1 (the kernel: <c>unreachable insn</c>).</summary>
    public int FindUnreached()
    {
        for (var slot = 0; slot < _code.Length; slot = Next(slot))
        {
            if (!IsReached[slot])
            {
                return slot;
            }
        }
        return -1;
    }

    /// <summary>
    /// The functions so that callers come before those they call; null, and the call at fault, where functions call
    /// themselves.
    /// </summary>
    public int[]? OrderByCalls(out int recursiveCall)
    {
        recursiveCall = -1;
        var order = new List<int>(Functions.Length);
        var state = new byte[Functions.Length];
        var stack = new Stack<(int Function, int Next)>();
        // Functions that are only called back are roots too.
        for (var root = 0; root < Functions.Length; root++)
        {
            if (state[root] == 0)
            {
                state[root] = 1;
                stack.Push((root, 0));
            }
            while (stack.TryPop(out var top))
            {
                var (function, next) = top;
                if (next == Calls[function].Count)
                {
                    state[function] = 2;
                    order.Add(function);
                    continue;
                }
                stack.Push((function, next + 1));
                var (callSite, callee) = Calls[function][next];
                if (state[callee] == 1)
                {
                    recursiveCall = callSite;
                    return null;
                }
                if (state[callee] == 0)
                {
                    state[callee] = 1;
                    stack.Push((callee, 0));
                }
            }
        }
        order.Reverse();
        return [.. order];
    }

    private static List<(int CallSite, int Callee)>[] NewLists(int count)
    {
        var lists = new List<(int CallSite, int Callee)>[count];
        for (var index = 0; index < count; index++)
        {
            lists[index] = [];
        }
        return lists;
    }

    private void Follow(ProgramSpec program)
    {
        var pending = new Stack<int>();
        Reach(0, pending);
        while (pending.TryPop(out var slot))
        {
            var instruction = _code[slot];
            if (instruction.IsLocalCall)
            {
                var target = instruction.CallTarget(slot);
                Calls[_functionOf[slot]].Add((slot, _functionOf[target]));
                IsPrunePoint[target] = true;
                IsPrunePoint[slot + 1] = true;
                Reach(target, pending);
            }
            else if (instruction.IsFunctionLoad)
            {
                var target = instruction.CallTarget(slot);
                References[_functionOf[slot]].Add((slot, _functionOf[target]));
                Reach(target, pending);
            }
            else if (CalledFunction.Find(program, instruction) is { } called)
            {
                NoteCall(slot, called);
            }
            IsCheckpoint[slot] |= instruction.Opcode == Opcode.MayGoto;
            var (first, second) = Successors(slot);
            if (second >= 0)
            {
                IsPrunePoint[slot] = true;
                IsPrunePoint[first] = true;
                IsPrunePoint[second] = true;
                Reach(second, pending);
            }
            else if (instruction.IsJump && instruction.JumpOperation == JumpOperation.Ja)
            {
                IsPrunePoint[first] = true;
            }
            if (first >= 0)
            {
                Reach(first, pending);
            }
        }
    }

    /// <summary>From functions that change the packet to those that call them, or have them called back.</summary>
    private void SpreadPacketChanges()
    {
        var callers = Calls
            .Zip(References, (calls, references) => calls.Concat(references))
            .SelectMany((callees, caller) => callees.Select(callee => (Caller: caller, callee.Callee)))
            .ToLookup(call => call.Callee, call => call.Caller);
        var pending = new Stack<int>(Enumerable.Range(0, Functions.Length).Where(index => ChangesPacketData[index]));
        while (pending.TryPop(out var function))
        {
            foreach (var caller in callers[function].Where(caller => !ChangesPacketData[caller]))
            {
                ChangesPacketData[caller] = true;
                pending.Push(caller);
            }
        }
    }

    private void NoteCall(int slot, FunctionDefinition called)
    {
        // Behind a tail call another program runs, which may do so.
        ChangesPacketData[_functionOf[slot]] |=
            called.ChangesPacketData || called is HelperDefinition { Id: MapRules.TailCall };
        if (called.Returns == ReturnType.IteratorElementOrNull)
        {
            IsIteratorNext[slot] = IsCheckpoint[slot] = IsPrunePoint[slot] = true;
        }
        foreach (var argument in called.Arguments)
        {
            if (argument.Callback != CallbackKind.None)
            {
                // Timers call back later: only where the call is matters, not what was before.
                CallsBack[slot] = IsCheckpoint[slot] = argument.Callback != CallbackKind.Timer;
                IsPrunePoint[slot] = true;
                IsPrunePoint[slot + 1] = true;
            }
        }
    }

    private void Reach(int slot, Stack<int> pending)
    {
        if (!IsReached[slot])
        {
            IsReached[slot] = true;
            pending.Push(slot);
        }
    }
}
