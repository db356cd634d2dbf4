namespace RxStages.Bpf.Verification;

/// <summary>
/// All that is known at one point of one path, after the kernel's <c>struct bpf_verifier_state</c>. The state of the path
/// in progress changes with every instruction; copies of it are kept for pruning (<see cref="StatePruning"/>) and for
/// branches to be gone later. Copies form a tree by <see cref="Parent"/>, which precision is tracked along.
/// </summary>
internal sealed class VerifierState
{
    /// <summary>The kernel's limit on nested calls (<c>MAX_CALL_FRAMES</c>).</summary>
    public const int MaxFrames = 8;

    private readonly FunctionFrame?[] _frames = new FunctionFrame?[MaxFrames];

    /// <summary>The index of the innermost frame, the one in progress.</summary>
    public int Depth;

    /// <summary>The state kept last on the way here, or null before the first.</summary>
    public VerifierState? Parent;

    /// <summary>What the path has taken and must give back.</summary>
    public readonly HeldResources Held = new();

    /// <summary>The instructions gone since <see cref="Parent"/>.</summary>
    public readonly PathHistory History = new();

    /// <summary>How many kept states there are before this one, on its path (<c>dfs_depth</c>).</summary>
    public int KeptBefore;

    /// <summary>How many callbacks were entered on the way here (<c>callback_unroll_depth</c>).</summary>
    public int CallbacksEntered;

    /// <summary>How often <c>may_goto</c> stayed in its loop on the way here (<c>may_goto_depth</c>).</summary>
    public int MayGotoDepth;

    /// <summary>In kept states: the slot at which it was kept.</summary>
    public int Slot;

    /// <summary>In kept states: the loop that it is in, as a whole, or null.</summary>
    public LoopVisit? Loop;

    /// <summary>In kept states: how many paths that came through here are still to be gone.</summary>
    public int Branches;

    /// <summary>In kept states: true when every number in it, and in those before it, is marked as precise.</summary>
    public bool IsAllPrecise;

    /// <summary>In kept states: true when it is no longer compared with, and lives on only as another's parent.</summary>
    public bool IsEvicted;

    /// <summary>In kept states: true when no path from it is left, but its loop still needs it (<see cref="LoopVisit.Hold"/>).</summary>
    public bool IsHeld;

    /// <summary>In kept states: how often another state was found to be part of it, and how often not.</summary>
    public int Hits;

    /// <summary>See <see cref="Hits"/>.</summary>
    public int Misses;

    /// <summary>The frame in progress.</summary>
    public FunctionFrame Current => _frames[Depth]!;

    /// <summary>The registers of the frame in progress.</summary>
    public RegisterState[] Registers => _frames[Depth]!.Registers;

    /// <summary>A frame, 0 to <see cref="Depth"/>.</summary>
    public FunctionFrame Frame(int index) => _frames[index]!;

    /// <summary>Starts a frame for a function that is called.</summary>
    public FunctionFrame Push(int function, int callSite)
    {
        Depth++;
        return Enter(Depth, function, callSite);
    }

    /// <summary>Starts anew, with a function without a caller.</summary>
    public FunctionFrame Start(int function)
    {
        Depth = 0;
        Held.Clear();
        KeptBefore = 0;
        CallbacksEntered = 0;
        MayGotoDepth = 0;
        return Enter(0, function, callSite: -1);
    }

    private FunctionFrame Enter(int index, int function, int callSite)
    {
        var frame = _frames[index] ??= new FunctionFrame();
        frame.Enter(function, callSite, index);
        return frame;
    }

    /// <summary>True when the other is in the same functions, called from the same places.</summary>
    public bool HasSameCallSites(VerifierState other)
    {
        if (Depth != other.Depth)
        {
            return false;
        }
        for (var index = 0; index <= Depth; index++)
        {
            if (_frames[index]!.CallSite != other._frames[index]!.CallSite)
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Becomes a copy of another, its history and place in the tree aside.</summary>
    public void CopyFramesFrom(VerifierState other)
    {
        Depth = other.Depth;
        Held.CopyFrom(other.Held);
        CallbacksEntered = other.CallbacksEntered;
        MayGotoDepth = other.MayGotoDepth;
        for (var index = 0; index <= other.Depth; index++)
        {
            (_frames[index] ??= new FunctionFrame()).CopyFrom(other._frames[index]!);
        }
    }

    /// <summary>Every packet pointer is void (<c>clear_all_pkt_pointers</c>): the packet may have moved.</summary>
    public void ForgetPackets() => Forget(static (register, _) => register.IsVoidWhenPacketMoves, id: 0);

    /// <summary>All that an object was, or was made from it, is void: it was released.</summary>
    public void ForgetReference(uint id)
    {
        Forget(static (register, id) => register.Reference == id, id);
        for (var index = 0; index <= Depth; index++)
        {
            foreach (ref var slot in _frames[index]!.Stack)
            {
                if (slot.Types[0] == StackByte.Dynptr && slot.Spilled.Reference == id)
                {
                    // Clones of the dynptr among them.
                    ForgetDynptr(slot.Spilled.Dynptr);
                    slot = default;
                }
            }
        }
    }

    /// <summary>All memory that is part of a dynptr is void: the dynptr is gone.</summary>
    public void ForgetDynptr(uint id) =>
        Forget(static (register, id) => register.Kind == RegisterType.Memory && register.Dynptr == id, id);

    /// <summary>The innermost frame is about to end: slices that may be in its stack are void.</summary>
    public void ForgetBuffers() =>
        Forget(
            static (register, frame) =>
                register.Kind == RegisterType.Memory && register.Buffer != 0 && register.Frame == frame,
            (uint)Depth
        );

    /// <summary>What RCU kept alive may be gone: such pointers may point to nothing from now on.</summary>
    public void DistrustRcuPointers()
    {
        for (var index = 0; index <= Depth; index++)
        {
            var frame = _frames[index]!;
            foreach (ref var register in frame.Registers.AsSpan())
            {
                register.DistrustRcu();
            }
            foreach (ref var slot in frame.Stack)
            {
                slot.Spilled.DistrustRcu();
            }
        }
    }

    private void Forget(Func<RegisterState, uint, bool> isVoid, uint id)
    {
        for (var index = 0; index <= Depth; index++)
        {
            var frame = _frames[index]!;
            foreach (ref var register in frame.Registers.AsSpan())
            {
                if (isVoid(register, id))
                {
                    // As the kernel has it for privileged loaders: a number from now on (mark_reg_invalid).
                    register = RegisterState.Unknown;
                }
            }
            foreach (ref var slot in frame.Stack)
            {
                if (slot.IsSpill && isVoid(slot.Spilled, id))
                {
                    slot.Scrub();
                }
            }
        }
    }

    /// <summary>Bytes of memory that the state takes, about.</summary>
    public long MemorySize
    {
        get
        {
            long size = 256;
            for (var index = 0; index <= Depth; index++)
            {
                size += _frames[index]!.MemorySize;
            }
            return size + History.MemorySize;
        }
    }
}
