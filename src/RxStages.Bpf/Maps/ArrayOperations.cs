using System.Runtime.CompilerServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// Hot path of arrays and per-CPU arrays (kernel/bpf/arraymap.c): the same code for both, since an array is a per-CPU array
/// whose CPUs lie 0 bytes apart.
/// </summary>
public readonly unsafe struct ArrayOperations : IMapOperations
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* LookupElement(MapHeader* map, BpfRuntime* runtime, byte* key)
    {
        var array = (ArrayHeader*)map;
        var index = Unsafe.ReadUnaligned<uint>(key);
        return index < map->MaxEntries
            ? array->Values + ((nuint)(uint)runtime->Cpu * array->CpuStride) + (index * array->Stride)
            : null;
    }

    /// <inheritdoc/>
    public static long UpdateElement(MapHeader* map, BpfRuntime* runtime, byte* key, byte* value, ulong flags)
    {
        if (flags > UpdateFlags.Exist)
        {
            return -Errno.EINVAL;
        }
        var slot = LookupElement(map, runtime, key);
        if (slot is null)
        {
            return -Errno.E2BIG;
        }
        if (flags == UpdateFlags.NoExist)
        {
            return -Errno.EEXIST;
        }
        Buffer.MemoryCopy(value, slot, map->ValueSize, map->ValueSize);
        return 0;
    }

    /// <inheritdoc/>
    public static long DeleteElement(MapHeader* map, BpfRuntime* runtime, byte* key) => -Errno.EINVAL;

    /// <inheritdoc/>
    public static long Redirect(MapHeader* map, BpfRuntime* runtime, ulong key, ulong flags) => (long)XdpAction.Aborted;
}
