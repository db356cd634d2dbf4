using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>The native part of an array of maps.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ArrayOfMapsHeader
{
    internal MapHeader Map;

    /// <summary>Per index the map's header, or 0 where there is none.</summary>
    internal nint* Maps;
}

/// <summary>Hot path of arrays of maps (kernel/bpf/arraymap.c): a look-up gives the map itself.</summary>
internal readonly unsafe struct ArrayOfMapsOperations : IMapOperations
{
    /// <summary>The header of the map at an index; 0 if there is none or the index is out of range.</summary>
    internal static nint Find(MapHeader* map, uint index) =>
        index < map->MaxEntries ? Volatile.Read(ref ((ArrayOfMapsHeader*)map)->Maps[index]) : 0;

    public static byte* LookupElement(MapHeader* map, BpfRuntime* runtime, byte* key) =>
        (byte*)Find(map, Unsafe.ReadUnaligned<uint>(key));

    public static long UpdateElement(MapHeader* map, BpfRuntime* runtime, byte* key, byte* value, ulong flags) =>
        -Errno.EOPNOTSUPP;

    public static long DeleteElement(MapHeader* map, BpfRuntime* runtime, byte* key) => -Errno.EOPNOTSUPP;

    public static long Redirect(MapHeader* map, BpfRuntime* runtime, ulong key, ulong flags) => (long)XdpAction.Aborted;
}
