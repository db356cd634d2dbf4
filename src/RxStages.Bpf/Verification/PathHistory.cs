namespace RxStages.Bpf.Verification;

/// <summary>The instructions that a path went through, for going back along it (<see cref="PrecisionTracker"/>).</summary>
internal sealed class PathHistory
{
    private Entry[] _entries = [];

    /// <summary>One instruction gone through.</summary>
    /// <param name="Slot">Its slot.</param>
    /// <param name="Spill">The stack slot that it spilled a register to, or filled one from.</param>
    /// <param name="Linked">For conditional jumps: registers that learnt from each other here.</param>
    /// <param name="Crossing">Whether the next one stands in another frame, and which way it went there.</param>
    public readonly record struct Entry(int Slot, StackReference Spill, LinkedRegisters Linked, FrameCrossing Crossing);

    /// <summary>How many entries there are.</summary>
    public int Count { get; private set; }

    /// <summary>An entry; 0 is the oldest.</summary>
    public ref readonly Entry this[int index] => ref _entries[index];

    /// <summary>Bytes of memory taken.</summary>
    public long MemorySize => _entries.LongLength * System.Runtime.CompilerServices.Unsafe.SizeOf<Entry>();

    public void Add(in Entry entry)
    {
        if (Count == _entries.Length)
        {
            Array.Resize(ref _entries, Math.Max(16, Count * 2));
        }
        _entries[Count++] = entry;
    }

    /// <summary>The last instruction ended its function after all.</summary>
    public void LastReturns() => _entries[Count - 1] = _entries[Count - 1] with { Crossing = FrameCrossing.Returns };

    /// <summary>The last instruction, a call, went into the function that it calls back.</summary>
    public void LastCallsBack() =>
        _entries[Count - 1] = _entries[Count - 1] with { Crossing = FrameCrossing.CallsBack };

    public void Clear() => Count = 0;

    /// <summary>Gives the memory back.</summary>
    public void Release()
    {
        Count = 0;
        _entries = [];
    }

    public void CopyFrom(PathHistory other)
    {
        if (_entries.Length < other.Count)
        {
            _entries = new Entry[other.Count];
        }
        Count = other.Count;
        other._entries.AsSpan(0, Count).CopyTo(_entries);
    }
}

/// <summary>How an instruction led from one frame to another.</summary>
internal enum FrameCrossing : byte
{
    /// <summary>Not at all.</summary>
    None = 0,

    /// <summary>It called a function, which the next instruction stands in.</summary>
    Calls,

    /// <summary>It ended its function: the next instruction stands behind the call.</summary>
    Returns,

    /// <summary>It is the call of a helper, which called a function of the program back.</summary>
    CallsBack,

    /// <summary>It ended a function that was called back: the next instruction is the helper's call once more.</summary>
    ReturnsToHelper,
}

/// <summary>A slot of some frame's stack, or none.</summary>
internal readonly record struct StackReference
{
    private readonly ushort _packed;

    public StackReference(int frame, int slot) => _packed = (ushort)(0x8000 | (frame << 6) | slot);

    public bool IsNone => _packed == 0;

    public int Frame => (_packed >> 6) & 7;

    public int Slot => _packed & 63;
}

/// <summary>
/// Up to six registers or spilled registers whose knowledge was shared at a conditional jump (<c>linked_regs</c> of the
/// kernel): when one of them must be precise, all must.
/// </summary>
internal struct LinkedRegisters
{
    /// <summary>How many fit.</summary>
    public const int Capacity = 6;

    private const int BitsEach = 10;
    private ulong _packed;

    public readonly int Count => (int)(_packed >> (Capacity * BitsEach));

    /// <summary>Adds one; false when it is full.</summary>
    public bool TryAdd(int frame, bool isStack, int index)
    {
        var count = Count;
        if (count == Capacity)
        {
            return false;
        }
        var entry = ((ulong)frame << 7) | (isStack ? 64ul : 0) | (uint)index;
        _packed = (_packed | (entry << (count * BitsEach))) + (1ul << (Capacity * BitsEach));
        return true;
    }

    public readonly (int Frame, bool IsStack, int Index) this[int position]
    {
        get
        {
            var entry = (int)(_packed >> (position * BitsEach));
            return ((entry >> 7) & 7, (entry & 64) != 0, entry & 63);
        }
    }
}
