using System.Runtime.InteropServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// What prog arrays, perf event arrays and arrays of maps have in common: each entry is empty or the address of something
/// that system calls name by a descriptor (kernel/bpf/arraymap.c: <c>fd_array_map_delete_elem</c>).
/// </summary>
internal static unsafe class DescriptorArray
{
    /// <summary>Empties an entry: 0, or a negated error number.</summary>
    internal static int Remove(nint* entries, uint maxEntries, ReadOnlySpan<byte> key)
    {
        var index = MemoryMarshal.Read<uint>(key);
        return index >= maxEntries ? -Errno.E2BIG
            : Interlocked.Exchange(ref entries[index], 0) == 0 ? -Errno.ENOENT
            : 0;
    }
}
