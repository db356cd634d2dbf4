using System.Runtime.InteropServices;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// The native part of a map: what programs hold in a register when they hold a map, and what every map operation on the
/// hot path gets. Each map type's own header starts with this one. As in the kernel (<c>map->ops</c>) the operations
/// are function pointers in it, for callers that do not know the map's type when they are compiled.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct MapHeader
{
    /// <summary>The map's type.</summary>
    public MapType Type;

    /// <summary>Bytes in a key.</summary>
    public uint KeySize;

    /// <summary>Bytes in a value, as defined (slots are rounded up to 8).</summary>
    public uint ValueSize;

    /// <summary>How many entries at the most.</summary>
    public uint MaxEntries;

    /// <summary>Creation flags.</summary>
    public MapFlags Flags;

    /// <summary>Slots of per-CPU values: the number of CPUs.</summary>
    public int CpuCount;

    /// <summary>The map's number among the maps of the process, from 1.</summary>
    public uint Id;

    /// <summary>The fields of its values that belong to the kernel, or null where there are none.</summary>
    internal void* Fields;

    /// <summary>Where in a value the timer is, for maps whose values have one.</summary>
    public uint TimerOffset;

    /// <summary>See <see cref="IMapOperations.LookupElement"/>.</summary>
    public delegate* <MapHeader*, BpfRuntime*, byte*, byte*> LookupElement;

    /// <summary>See <see cref="IMapOperations.UpdateElement"/>.</summary>
    public delegate* <MapHeader*, BpfRuntime*, byte*, byte*, ulong, long> UpdateElement;

    /// <summary>See <see cref="IMapOperations.DeleteElement"/>.</summary>
    public delegate* <MapHeader*, BpfRuntime*, byte*, long> DeleteElement;

    /// <summary>See <see cref="IMapOperations.Redirect"/>.</summary>
    public delegate* <MapHeader*, BpfRuntime*, ulong, ulong, long> Redirect;

    /// <summary>See <see cref="IMapOperations.NextElement"/>.</summary>
    public delegate* <MapHeader*, BpfRuntime*, MapCursor*, bool> NextElement;
}
