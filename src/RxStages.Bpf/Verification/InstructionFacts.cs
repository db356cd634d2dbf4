namespace RxStages.Bpf.Verification;

/// <summary>What memory an instruction accesses.</summary>
public enum MemoryRegion : byte
{
    /// <summary>None, or not known.</summary>
    None = 0,

    /// <summary>The context: a field of <c>struct xdp_md</c>, to be translated.</summary>
    Context,

    /// <summary>The stack of this or a calling function.</summary>
    Stack,

    /// <summary>Packet data or metadata.</summary>
    Packet,

    /// <summary>A map's value.</summary>
    MapValue,

    /// <summary>Different memory on different paths (never the context).</summary>
    Mixed,
}

/// <summary>What the verifier found of a conditional jump.</summary>
[Flags]
public enum BranchOutcome : byte
{
    /// <summary>Never reached.</summary>
    None = 0,

    /// <summary>Some path goes to the target.</summary>
    Taken = 1,

    /// <summary>Some path falls through.</summary>
    FallsThrough = 2,

    /// <summary>Both.</summary>
    Both = 3,
}

/// <summary>What the verifier proved of one instruction slot, over all paths. The compiler relies on it.</summary>
public record struct InstructionFacts
{
    /// <summary>False when no path comes here: dead code.</summary>
    public bool IsReachable;

    /// <summary>For loads, stores and atomics: the memory accessed.</summary>
    public MemoryRegion Region;

    /// <summary>For conditional jumps: which ways are ever gone.</summary>
    public BranchOutcome Branch;

    /// <summary>
    /// For helper calls: index of the one map in the call's map argument plus one; 0 when there is none or it differs
    /// between paths.
    /// </summary>
    public int MapIndexPlusOne;
}
