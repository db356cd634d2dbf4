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
        var error = CheckUpdate(map, Unsafe.ReadUnaligned<uint>(key), flags);
        if (error == 0)
        {
            Write(map, LookupElement(map, runtime, key), value, flags);
        }
        return error;
    }

    /// <summary>Whether an update may go on: 0 or a negated error number.</summary>
    internal static int CheckUpdate(MapHeader* map, uint index, ulong flags)
    {
        var error = IndexKeys.CheckUpdate(index, map->MaxEntries, flags & ~UpdateFlags.Lock);
        return error != 0 ? error
            : (flags & UpdateFlags.Lock) != 0 && !ValueFields.HasLock(map) ? -Errno.EINVAL
            : 0;
    }

    /// <summary>Writes a value, with its lock held where the flags say so.</summary>
    internal static void Write(MapHeader* map, byte* slot, byte* value, ulong flags)
    {
        if ((flags & UpdateFlags.Lock) != 0)
        {
            ValueFields.CopyLocked(map, slot, value);
        }
        else
        {
            ValueFields.Copy(map, slot, value);
        }
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
