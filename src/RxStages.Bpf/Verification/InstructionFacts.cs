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

    /// <summary>A map's value or key.</summary>
    MapValue,

    /// <summary>Memory that a call gave or that the function got: a record, a slice of a dynptr, an argument.</summary>
    Memory,

    /// <summary>A socket as programs see it.</summary>
    Socket,

    /// <summary>
    /// A structure of the kernel, perhaps through a pointer that need not be valid: read with care, giving 0 where nothing is
    /// (<c>BPF_PROBE_MEM</c>); written with care too.
    /// </summary>
    Probed,

    /// <summary>Different memory on different paths, none of it the context or a structure of the kernel.</summary>
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
