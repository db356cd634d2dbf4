using System.Runtime.InteropServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>Keys that are indices from 0, in maps where every index counts as present (<c>array_map_get_next_key</c>).</summary>
internal static class IndexKeys
{
    /// <summary>The key behind another one; the first behind none or one that is out of range.</summary>
    internal static int Next(ReadOnlySpan<byte> key, Span<byte> next, uint maxEntries)
    {
        var index = key.IsEmpty ? uint.MaxValue : MemoryMarshal.Read<uint>(key);
        if (index < maxEntries && index + 1 == maxEntries)
        {
            return -Errno.ENOENT;
        }
        MemoryMarshal.Write(next, index >= maxEntries ? 0 : index + 1);
        return 0;
    }

    /// <summary>Whether an update may go on: 0 or a negated error number.</summary>
    internal static int CheckUpdate(uint index, uint maxEntries, ulong flags) =>
        flags > UpdateFlags.Exist ? -Errno.EINVAL
        : index >= maxEntries ? -Errno.E2BIG
        : (flags & UpdateFlags.NoExist) != 0 ? -Errno.EEXIST
        : 0;
}
