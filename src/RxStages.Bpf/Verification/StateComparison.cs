namespace RxStages.Bpf.Verification;

/// <summary>How much alike states must be (<c>enum exact_level</c>).</summary>
internal enum StateMatch
{
    /// <summary>Numbers that nothing relied on may differ (<c>NOT_EXACT</c>).</summary>
    WhereItMatters,

    /// <summary>All numbers must be in the ranges of the kept state: it is not known yet which of them matter (<c>RANGE_WITHIN</c>).</summary>
    WithinRanges,

    /// <summary>The very same (<c>EXACT</c>).</summary>
    Exact,
}

/// <summary>
/// Tells whether a state is part of one that was followed to its end before (the kernel's <c>states_equal</c>,
/// <c>regsafe</c> and <c>stacksafe</c>): then whatever can happen from it has been looked at.
/// </summary>
internal sealed class StateComparison(VerifierEnvironment environment, Liveness liveness)
{
    // Ids of the kept state and those of the present one that stand for the same.
    private readonly List<(uint Kept, uint Present)> _ids = [];
    private StateMatch _match;

    /// <summary>
    /// True when everything that the present state stands for, as far as it can matter, the kept one stood for too.
    /// </summary>
    public bool Includes(VerifierState kept, VerifierState present, int slot, StateMatch match)
    {
        if (!kept.HasSameCallSites(present))
        {
            return false;
        }
        _ids.Clear();
        _match = match;
        if (!HoldsTheSame(kept.Held, present.Held))
        {
            return false;
        }
        for (var index = kept.Depth; index >= 0; index--)
        {
            var (registers, slots) = LiveIn(kept, index, slot);
            if (!IncludesFrame(kept.Frame(index), present.Frame(index), registers, slots))
            {
                return false;
            }
        }
        return true;
    }

    private bool IsExact => _match == StateMatch.Exact;

    /// <summary>Forgets what is not live, so that it is neither kept nor compared.</summary>
    public void Clean(VerifierState state, int slot)
    {
        for (var index = state.Depth; index >= 0; index--)
        {
            var (registers, slots) = LiveIn(state, index, slot);
            var frame = state.Frame(index);
            for (var register = 0; register < FunctionFrame.FramePointer; register++)
            {
                if ((registers & (1 << register)) == 0)
                {
                    frame.Registers[register] = default;
                }
            }
            for (var position = 0; position < frame.SlotCount; position++)
            {
                // Writing over a dynptr has an effect on what was made from it, whether it is read again or not.
                if ((slots & (1ul << position)) == 0 && frame.Stack[position].Types[0] != StackByte.Dynptr)
                {
                    frame.Stack[position] = default;
                }
            }
        }
    }

    /// <summary>What is live in a frame, when the innermost one is about to go on at a slot.</summary>
    private (ushort Registers, ulong Slots) LiveIn(VerifierState state, int frame, int slot)
    {
        if (frame == state.Depth)
        {
            return (liveness.RegistersBefore(slot), liveness.SlotsBefore(slot));
        }
        var callSite = state.Frame(frame + 1).CallSite;
        return (liveness.RegistersDuringCall(callSite), liveness.SlotsDuringCall(callSite));
    }

    private bool HoldsTheSame(HeldResources kept, HeldResources present)
    {
        if (
            kept.References.Count != present.References.Count
            || kept.IsInRcuRegion != present.IsInRcuRegion
            || kept.PreemptOffRegions != present.PreemptOffRegions
            || kept.Lock?.Map != present.Lock?.Map
            || !AreSameId(kept.Lock?.Id ?? 0, present.Lock?.Id ?? 0)
        )
        {
            return false;
        }
        for (var index = 0; index < kept.References.Count; index++)
        {
            if (!AreSameId(kept.References[index].Id, present.References[index].Id))
            {
                return false;
            }
        }
        return true;
    }

    private bool IncludesFrame(FunctionFrame kept, FunctionFrame present, ushort registers, ulong slots)
    {
        environment.TakeComparisons(1);
        for (var register = 0; register < FunctionFrame.RegisterCount; register++)
        {
            if ((registers & (1 << register)) != 0 && !Includes(kept.Registers[register], present.Registers[register]))
            {
                return false;
            }
        }
        environment.TakeComparisons(kept.SlotCount);
        for (var index = 0; index < kept.SlotCount; index++)
        {
            if ((slots & (1ul << index)) == 0)
            {
                continue;
            }
            ref var keptSlot = ref kept.Stack[index];
            if (index >= present.SlotCount)
            {
                if (!IncludesSlot(keptSlot, default, present.Function))
                {
                    return false;
                }
            }
            else if (!IncludesSlot(keptSlot, present.Stack[index], present.Function))
            {
                return false;
            }
        }
        return !IsExact || present.SlotCount <= kept.SlotCount;
    }

    private bool Includes(in RegisterState kept, in RegisterState present)
    {
        if (kept.Type == RegisterType.NotInitialized)
        {
            // It cannot have been read: nothing relied on it.
            return !IsExact || present.Type == RegisterType.NotInitialized;
        }
        if (kept.Type != present.Type)
        {
            return false;
        }
        if (kept.Type == RegisterType.Scalar && !IsExact)
        {
            return IncludesScalar(kept, present);
        }
        if (
            kept.Offset != present.Offset
            || kept.Map != present.Map
            || kept.Frame != present.Frame
            || !AreSameId(kept.Id, present.Id)
            || !AreSameId(kept.Reference, present.Reference)
            || !AreSameId(kept.Dynptr, present.Dynptr)
        )
        {
            return false;
        }
        if (IsExact)
        {
            return kept.Range == present.Range && kept.Bounds.Equals(present.Bounds);
        }
        return kept.Kind switch
        {
            RegisterType.Packet or RegisterType.PacketMeta => IncludesRange(kept.Range, present.Range)
                && kept.Bounds.Contains(present.Bounds),
            RegisterType.MapKey or RegisterType.MapValue => kept.Bounds.Contains(present.Bounds),
            RegisterType.Memory => kept.Size == present.Size && kept.Bounds.Contains(present.Bounds),
            _ => kept.Bounds.Equals(present.Bounds),
        };
    }

    private bool IncludesScalar(in RegisterState kept, in RegisterState present)
    {
        if (!kept.IsPrecise && _match == StateMatch.WhereItMatters)
        {
            return true;
        }
        if (!kept.Bounds.Contains(present.Bounds))
        {
            return false;
        }
        // Registers that were linked must be; those that were not may be all the same.
        return kept.Id == 0
            || (
                present.Id != 0
                && (kept.Id & RegisterState.AddConst) == (present.Id & RegisterState.AddConst)
                && kept.Offset == present.Offset
                && AreSameId(kept.BaseId, present.BaseId)
            );
    }

    /// <summary>More must be proved of the present packet, or the very same where it is the other way round.</summary>
    private static bool IncludesRange(int kept, int present) =>
        kept < 0 || present < 0 ? kept == present : kept <= present;

    private bool AreSameId(uint kept, uint present)
    {
        if (kept == 0 || present == 0)
        {
            return kept == present;
        }
        foreach (var (keptId, presentId) in _ids)
        {
            if (keptId == kept || presentId == present)
            {
                return keptId == kept && presentId == present;
            }
        }
        _ids.Add((kept, present));
        return true;
    }

    private bool IncludesSlot(in StackSlot kept, in StackSlot present, int function)
    {
        // Eight bytes of any number, spilled or written otherwise, are alike.
        if (kept.IsScalarSpill && kept.SpillSize == StackSlot.Size)
        {
            if (present.IsScalarSpill && present.SpillSize == StackSlot.Size)
            {
                return Includes(kept.Spilled, present.Spilled);
            }
            if (present.IsAll(StackByte.Misc, or: StackByte.Invalid))
            {
                NoteUninitialized(kept, present, function);
                return Includes(kept.Spilled, RegisterState.Unknown);
            }
        }
        for (var index = 0; index < StackSlot.Size; index++)
        {
            if (IsExact)
            {
                if (kept.Types[index] != present.Types[index])
                {
                    return false;
                }
                continue;
            }
            switch (kept.Types[index])
            {
                case StackByte.Invalid or StackByte.Misc:
                    // Read as unknown numbers, which anything is.
                    break;
                case var type when present.Types[index] != type:
                    return false;
            }
        }
        NoteUninitialized(kept, present, function);
        return !kept.IsDescribed || Includes(kept.Spilled, present.Spilled);
    }

    /// <summary>What reads the bytes was looked at when they were written; here they may not be.</summary>
    private void NoteUninitialized(in StackSlot kept, in StackSlot present, int function)
    {
        for (var index = 0; index < StackSlot.Size; index++)
        {
            if (kept.Types[index] != StackByte.Invalid && present.Types[index] == StackByte.Invalid)
            {
                environment.Functions[function].ReadsUninitializedStack = true;
            }
        }
    }
}
