namespace RxStages.Bpf.Verification;

/// <summary>
/// What a path has taken and must give back before the program ends, after the references and locks in the kernel's
/// <c>struct bpf_verifier_state</c>.
/// </summary>
internal sealed class HeldResources
{
    private readonly List<HeldReference> _references = [];

    /// <summary>The objects that must be released, in the order in which they were acquired.</summary>
    public IReadOnlyList<HeldReference> References => _references;

    /// <summary>The spin lock that is held, or null.</summary>
    public HeldLock? Lock { get; set; }

    /// <summary>True in an RCU region that the program opened; it cannot open another inside.</summary>
    public bool IsInRcuRegion { get; set; }

    /// <summary>How many regions without preemption are open.</summary>
    public int PreemptOffRegions { get; set; }

    /// <summary>Takes an object over.</summary>
    public void Acquire(HeldReference reference) => _references.Add(reference);

    /// <summary>Gives an object back; false when it is not held.</summary>
    public bool Release(uint id) => _references.RemoveAll(reference => reference.Id == id) > 0;

    /// <summary>Holds nothing.</summary>
    public void Clear()
    {
        _references.Clear();
        Lock = null;
        IsInRcuRegion = false;
        PreemptOffRegions = 0;
    }

    /// <summary>Becomes a copy of another.</summary>
    public void CopyFrom(HeldResources other)
    {
        Clear();
        _references.AddRange(other._references);
        Lock = other.Lock;
        IsInRcuRegion = other.IsInRcuRegion;
        PreemptOffRegions = other.PreemptOffRegions;
    }
}

/// <summary>An object that must be released.</summary>
/// <param name="Id">What registers that hold it have as <see cref="RegisterState.Reference"/>.</param>
/// <param name="Slot">The call that acquired it.</param>
internal readonly record struct HeldReference(uint Id, int Slot);

/// <summary>A spin lock that is held.</summary>
/// <param name="Map">The map that it is in a value of.</param>
/// <param name="Id">Which of the map's values: the <see cref="RegisterState.Id"/> of the pointer to it.</param>
internal readonly record struct HeldLock(int Map, uint Id);
