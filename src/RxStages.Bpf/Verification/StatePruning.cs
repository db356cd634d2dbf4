namespace RxStages.Bpf.Verification;

/// <summary>
/// Keeps states at points where paths meet, and ends a path whose state is part of one kept there; after the kernel's
/// <c>is_state_visited</c>, its heuristics included. Without it the number of paths is exponential in the number of
/// branches.
/// </summary>
internal sealed class StatePruning(VerifierEnvironment environment, Liveness liveness)
{
    // A new state is kept only so far behind the last one; a path's history is cut where it grows beyond this.
    private const int MinJumpsBetween = 2;
    private const int MinInstructionsBetween = 8;
    private const int MaxHistory = 400;

    // In a loop states are kept more seldom: iterations differ, so that they hardly help each other.
    private const int MinJumpsInLoop = 20;
    private const int MinInstructionsInLoop = 100;

    private readonly List<VerifierState>?[] _kept = new List<VerifierState>?[environment.Code.Length];
    private readonly StateComparison _comparison = new(environment, liveness);
    private readonly Dictionary<uint, int> _idUses = [];
    private long _jumpsAtLast;
    private long _instructionsAtLast;

    /// <summary>States kept in all.</summary>
    public int TotalStates { get; private set; }

    /// <summary>Most states held at once.</summary>
    public int PeakStates { get; private set; }

    private int _held;

    /// <summary>
    /// Looks at the path in progress, which is about to go on at a slot. True when all that can follow has been looked at
    /// before: the path ends.
    /// </summary>
    public bool IsCovered(int slot)
    {
        var present = environment.State;
        var mustKeep = present.History.Count > MaxHistory;
        var jumps = environment.JumpsVisited - _jumpsAtLast;
        var instructions = environment.InstructionsVisited - _instructionsAtLast;
        var keeps = mustKeep || (jumps >= MinJumpsBetween && instructions >= MinInstructionsBetween);
        var states = _kept[slot] ??= [];
        for (var index = states.Count - 1; index >= 0; index--)
        {
            var kept = states[index];
            if (kept.Branches > 0)
            {
                if (_comparison.Includes(kept, present, slot, isExact: true))
                {
                    throw environment.RejectAt(
                        slot,
                        "the loop never ends: it comes back here with nothing changed",
                        "the verifier follows every iteration: count with a variable and leave the loop at a constant bound"
                    );
                }
                if (!mustKeep && jumps < MinJumpsInLoop && instructions < MinInstructionsInLoop)
                {
                    keeps = false;
                }
            }
            else if (_comparison.Includes(kept, present, slot, isExact: false))
            {
                kept.Hits++;
                environment.Precision.Propagate(kept);
                return true;
            }
            if (keeps)
            {
                kept.Misses++;
            }
            if (kept.Misses > (kept.Hits * 3) + 3)
            {
                states.RemoveAt(index);
                _held--;
                kept.IsEvicted = true;
                if (kept.Branches == 0)
                {
                    environment.TakeMemory(-kept.MemorySize);
                }
            }
        }
        if (keeps)
        {
            Keep(states, slot);
        }
        return false;
    }

    private void Keep(List<VerifierState> states, int slot)
    {
        var present = environment.State;
        _comparison.Clean(present, slot);
        ClearSingularIds(present);
        var kept = new VerifierState { Parent = present.Parent, Branches = 1 };
        kept.CopyFramesFrom(present);
        kept.History.CopyFrom(present.History);
        states.Add(kept);
        present.Parent = kept;
        present.History.Clear();
        environment.TakeMemory(kept.MemorySize);
        _jumpsAtLast = environment.JumpsVisited;
        _instructionsAtLast = environment.InstructionsVisited;
        TotalStates++;
        PeakStates = Math.Max(PeakStates, ++_held);
    }

    /// <summary>An id that only one number has says nothing, and would only make states differ.</summary>
    private void ClearSingularIds(VerifierState state)
    {
        _idUses.Clear();
        for (var index = 0; index <= state.Depth; index++)
        {
            var frame = state.Frame(index);
            foreach (ref var register in frame.Registers.AsSpan())
            {
                CountId(register);
            }
            foreach (ref var slot in frame.Stack)
            {
                CountId(slot.Spilled);
            }
        }
        if (_idUses.Count == 0)
        {
            return;
        }
        for (var index = 0; index <= state.Depth; index++)
        {
            var frame = state.Frame(index);
            foreach (ref var register in frame.Registers.AsSpan())
            {
                ClearSingularId(ref register);
            }
            foreach (ref var slot in frame.Stack)
            {
                ClearSingularId(ref slot.Spilled);
            }
        }
    }

    private void CountId(in RegisterState register)
    {
        if (register.IsScalar && register.Id != 0)
        {
            _idUses[register.BaseId] = _idUses.GetValueOrDefault(register.BaseId) + 1;
        }
    }

    private void ClearSingularId(ref RegisterState register)
    {
        if (register.IsScalar && register.Id != 0 && _idUses[register.BaseId] == 1)
        {
            register.ClearId();
        }
    }
}
