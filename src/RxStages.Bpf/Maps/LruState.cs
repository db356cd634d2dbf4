using System.Runtime.InteropServices;

namespace RxStages.Bpf.Maps;

/// <summary>The lists in which an LRU map keeps its elements.</summary>
internal enum LruList : byte
{
    /// <summary>In use, and looked up not long ago.</summary>
    Active,

    /// <summary>In use, to be evicted first.</summary>
    Inactive,

    /// <summary>Not in use.</summary>
    Free,

    /// <summary>Not in use, at the hand of one CPU.</summary>
    LocalFree,

    /// <summary>Put in use by one CPU not long ago.</summary>
    LocalPending,
}

/// <summary>An element's place in the lists; also a list's head, in a ring with its elements.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LruNode
{
    internal uint Previous;
    internal uint Next;
    internal LruList List;
    internal ushort Cpu;
}

/// <summary>A set of active, inactive and free elements: one for the whole map, or with BPF_F_NO_COMMON_LRU one per CPU.</summary>
[StructLayout(LayoutKind.Sequential, Size = 64)]
internal struct LruSet
{
    internal int Lock;
    internal uint ActiveCount;
    internal uint InactiveCount;

    /// <summary>Where the next turn of the inactive list begins.</summary>
    internal uint NextInactive;

    /// <summary>The nodes that head the lists: active, inactive, free.</summary>
    internal uint Heads;

    /// <summary>The first element that was never used, and the last one: they count as free, behind those in the list.</summary>
    internal uint FirstUnused;
    internal uint LastUnused;
}

/// <summary>A CPU's stock of free elements and those it put in use last; not with BPF_F_NO_COMMON_LRU.</summary>
[StructLayout(LayoutKind.Sequential, Size = 64)]
internal struct LruLocal
{
    internal int Lock;

    /// <summary>The nodes that head the lists: free, pending.</summary>
    internal uint Heads;

    /// <summary>The CPU to steal from next.</summary>
    internal int NextSteal;
}

/// <summary>The native part of an LRU map that says which element is evicted next.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct LruState
{
    /// <summary>A node for each element, by its number, and the lists' heads behind them.</summary>
    internal LruNode* Nodes;

    /// <summary>One set, or one per CPU.</summary>
    internal LruSet* Sets;

    /// <summary>Per CPU its stock; null with BPF_F_NO_COMMON_LRU.</summary>
    internal LruLocal* Locals;

    /// <summary>How many elements are made free at once.</summary>
    internal uint Target;

    /// <summary>How many elements of a list are looked at in one turn.</summary>
    internal uint Scans;
}
