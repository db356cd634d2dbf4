using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace RxStages.Bpf.Maps;

/// <summary>
/// The fields of a map's values that belong to the kernel (locks, timers, kernel pointers), in native memory: copies of values
/// pass over them (<c>copy_map_value</c>), and new values begin with zeros there (<c>bpf_obj_init</c>).
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ValueFields
{
    /// <summary>The fields by ascending offset: offset and size, in turn.</summary>
    internal uint* Places;

    /// <summary>How many fields.</summary>
    internal uint Count;

    /// <summary>Where the value's <c>struct bpf_spin_lock</c> is, or <see cref="NoLock"/>.</summary>
    internal uint LockOffset;

    internal const uint NoLock = uint.MaxValue;

    /// <summary>Copies a value but for such fields.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Copy(MapHeader* map, byte* to, byte* from)
    {
        if (map->Fields is null)
        {
            Unsafe.CopyBlockUnaligned(to, from, map->ValueSize);
        }
        else
        {
            CopyBetween(map, to, from);
        }
    }

    /// <summary>Copies a value into a slot that had none, with zeros in such fields.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Initialize(MapHeader* map, byte* to, byte* from)
    {
        Copy(map, to, from);
        Clear(map, to);
    }

    /// <summary>Puts zeros into such fields.</summary>
    internal static void Clear(MapHeader* map, byte* value)
    {
        var fields = (ValueFields*)map->Fields;
        for (var i = 0u; fields is not null && i < fields->Count; i++)
        {
            Unsafe.InitBlockUnaligned(value + fields->Places[2 * i], 0, fields->Places[(2 * i) + 1]);
        }
    }

    /// <summary>Copies into a value while its lock is held (<c>BPF_F_LOCK</c>); the map's values have one.</summary>
    internal static void CopyLocked(MapHeader* map, byte* to, byte* from)
    {
        var word = Lock(map, to);
        WordLock.Enter(word);
        CopyBetween(map, to, from);
        WordLock.Exit(word);
    }

    /// <summary>True when the map's values have a lock.</summary>
    internal static bool HasLock(MapHeader* map) =>
        map->Fields is not null && ((ValueFields*)map->Fields)->LockOffset != NoLock;

    /// <summary>The lock of a value; the map's values have one.</summary>
    internal static int* Lock(MapHeader* map, byte* value) => (int*)(value + ((ValueFields*)map->Fields)->LockOffset);

    private static void CopyBetween(MapHeader* map, byte* to, byte* from)
    {
        var fields = (ValueFields*)map->Fields;
        var start = 0u;
        for (var i = 0u; i < fields->Count; i++)
        {
            Unsafe.CopyBlockUnaligned(to + start, from + start, fields->Places[2 * i] - start);
            start = fields->Places[2 * i] + fields->Places[(2 * i) + 1];
        }
        Unsafe.CopyBlockUnaligned(to + start, from + start, map->ValueSize - start);
    }
}
