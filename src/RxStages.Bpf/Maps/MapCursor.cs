using System.Runtime.InteropServices;

namespace RxStages.Bpf.Maps;

/// <summary>
/// Where a walk over a map's elements stands (<see cref="IMapOperations.NextElement"/>); all zeros before the first. It lives
/// on the walker's stack and must not move: <see cref="Key"/> may point into it.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct MapCursor
{
    /// <summary>The element's key; valid until the next step.</summary>
    public byte* Key;

    /// <summary>The element's value, for per-CPU maps this CPU's.</summary>
    public byte* Value;

    /// <summary>Arrays: the next index. Hash maps: the bucket.</summary>
    internal ulong Position;

    /// <summary>Arrays: the index that <see cref="Key"/> points to. Hash maps: the next slot of the bucket.</summary>
    internal uint Slot;

    /// <summary>Hash maps: in an overflow list, the number of the element behind the present one.</summary>
    internal uint Following;
}
