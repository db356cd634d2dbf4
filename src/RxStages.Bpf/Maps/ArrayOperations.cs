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
        var error = IndexKeys.CheckUpdate(Unsafe.ReadUnaligned<uint>(key), map->MaxEntries, flags);
        if (error == 0)
        {
            Unsafe.CopyBlockUnaligned(LookupElement(map, runtime, key), value, map->ValueSize);
        }
        return error;
    }

    /// <inheritdoc/>
    public static long DeleteElement(MapHeader* map, BpfRuntime* runtime, byte* key) => -Errno.EINVAL;

    /// <inheritdoc/>
    public static long Redirect(MapHeader* map, BpfRuntime* runtime, ulong key, ulong flags) => (long)XdpAction.Aborted;

    /// <inheritdoc/>
    public static bool NextElement(MapHeader* map, BpfRuntime* runtime, MapCursor* cursor)
    {
        cursor->Slot = (uint)cursor->Position++;
        cursor->Key = (byte*)&cursor->Slot;
        cursor->Value = LookupElement(map, runtime, cursor->Key);
        return cursor->Value is not null;
    }
}
