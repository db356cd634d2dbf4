using RxStages.Bpf.Isa;

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

    // A state that misses so many times for each hit, and as many times more, is given up.
    private const int Patience = 3;
    private const int CheckpointPatience = 64;

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
        var isCheckpoint = environment.Flow.IsCheckpoint[slot];
        var mustKeep = isCheckpoint || present.History.Count > MaxHistory;
        var jumps = environment.JumpsVisited - _jumpsAtLast;
        var instructions = environment.InstructionsVisited - _instructionsAtLast;
        var keeps = mustKeep || (jumps >= MinJumpsBetween && instructions >= MinInstructionsBetween);
        var states = _kept[slot] ??= [];
        for (var index = states.Count - 1; index >= 0; index--)
        {
            var kept = states[index];
            if (kept.Branches > 0)
            {
                if (ComesRound(kept, present, slot))
                {
                    End(kept, isLoop: true);
                    return true;
                }
                if (!mustKeep && jumps < MinJumpsInLoop && instructions < MinInstructionsInLoop)
                {
                    keeps = false;
                }
            }
            else
            {
                var isLoop = kept.Loop is { IsIncomplete: true };
                if (
                    (!isLoop || AreSameEntry(kept, present))
                    && _comparison.Includes(
                        kept,
                        present,
                        slot,
                        isLoop ? StateMatch.WithinRanges : StateMatch.WhereItMatters
                    )
                )
                {
                    End(kept, isLoop);
                    return true;
                }
            }
            if (keeps)
            {
                kept.Misses++;
            }
            // Without the states of calls that call back and the like, loops would hardly converge.
            var patience = isCheckpoint && kept.Branches > 0 ? CheckpointPatience : Patience;
            if (kept.Misses > (kept.Hits * patience) + patience)
            {
                states.RemoveAt(index);
                _held--;
                kept.IsEvicted = true;
                if (kept.Branches == 0 && !kept.IsHeld)
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

    /// <summary>
    /// The state kept last at a slot on the path of another, or null: what a loop looked like one round before
    /// (<c>find_prev_entry</c>).
    /// </summary>
    public VerifierState? FindPrevious(VerifierState present, int slot)
    {
        var states = _kept[slot];
        for (var index = (states?.Count ?? 0) - 1; index >= 0; index--)
        {
            var kept = states![index];
            if (kept.Branches > 0 && kept.KeptBefore < present.KeptBefore && kept.HasSameCallSites(present))
            {
                return kept;
            }
        }
        return null;
    }

    /// <summary>
    /// Compares with a state that the path itself has come from. True when it came round to it in a loop that is known to
    /// end for other reasons: by the helper that calls back, the iterator, or the count of <c>may_goto</c>.
    /// </summary>
    private bool ComesRound(VerifierState kept, VerifierState present, int slot)
    {
        if (!AreSameEntry(kept, present))
        {
            // Nothing is wrong with its being like the call before, whose paths are not gone to their ends.
            return false;
        }
        if (environment.Flow.IsIteratorNext[slot])
        {
            // An iterator that still gives elements does so no more at some time.
            return kept.Loop is not null
                && IteratorChecker.IsActive(present)
                && _comparison.Includes(kept, present, slot, StateMatch.WithinRanges);
        }
        if (environment.Flow.CallsBack[slot])
        {
            return _comparison.Includes(kept, present, slot, StateMatch.WithinRanges);
        }
        if (
            environment.Code[slot].Opcode == Opcode.MayGoto
            && kept.Loop is not null
            && kept.MayGotoDepth != present.MayGotoDepth
            && _comparison.Includes(kept, present, slot, StateMatch.WithinRanges)
        )
        {
            return true;
        }
        if (
            kept.MayGotoDepth == present.MayGotoDepth
            && kept.CallbacksEntered == present.CallbacksEntered
            && _comparison.Includes(kept, present, slot, StateMatch.Exact)
        )
        {
            throw environment.RejectAt(
                slot,
                "the loop never ends: it comes back here with nothing changed",
                "the verifier follows every iteration: count with a variable and leave the loop at a constant bound"
            );
        }
        return false;
    }

    /// <summary>False for states of two calls of a function by timers, the second set by the first.</summary>
    private static bool AreSameEntry(VerifierState kept, VerifierState present) =>
        kept.Frame(0).AsyncEntries == present.Frame(0).AsyncEntries;

    /// <summary>The path in progress ends: all that can follow is what can follow a kept state.</summary>
    private void End(VerifierState kept, bool isLoop)
    {
        kept.Hits++;
        environment.Precision.Propagate(kept, environment.State);
        if (isLoop)
        {
            kept.Loop!.AddBackEdge(environment, kept);
        }
    }

    private void Keep(List<VerifierState> states, int slot)
    {
        var present = environment.State;
        _comparison.Clean(present, slot);
        ClearSingularIds(present);
        var kept = new VerifierState
        {
            Parent = present.Parent,
            Branches = 1,
            Slot = slot,
            KeptBefore = present.KeptBefore,
        };
        kept.CopyFramesFrom(present);
        kept.History.CopyFrom(present.History);
        environment.Loops.Enter(kept);
        states.Add(kept);
        present.Parent = kept;
        present.KeptBefore++;
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
