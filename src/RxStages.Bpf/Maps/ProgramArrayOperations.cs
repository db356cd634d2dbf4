using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>Hot path of program arrays: the look-up of a tail call. Programs can do nothing else with them.</summary>
public readonly unsafe struct ProgramArrayOperations : IMapOperations
{
    /// <summary>The program at an index, or null if there is none or the index is out of range. Allocates nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static XdpProgram? Find(MapHeader* map, uint index)
    {
        if (index >= map->MaxEntries)
        {
            return null;
        }
        var handle = Volatile.Read(ref ((ProgramArrayHeader*)map)->Programs[index]);
        return handle == 0 ? null : GCHandle<XdpProgram>.FromIntPtr(handle).Target;
    }

    /// <inheritdoc/>
    public static byte* LookupElement(MapHeader* map, BpfRuntime* runtime, byte* key) => null;

    /// <inheritdoc/>
    public static long UpdateElement(MapHeader* map, BpfRuntime* runtime, byte* key, byte* value, ulong flags) =>
        -Errno.EOPNOTSUPP;

    /// <inheritdoc/>
    public static long DeleteElement(MapHeader* map, BpfRuntime* runtime, byte* key) => -Errno.EOPNOTSUPP;

    /// <inheritdoc/>
    public static long Redirect(MapHeader* map, BpfRuntime* runtime, ulong key, ulong flags) => (long)XdpAction.Aborted;
}
