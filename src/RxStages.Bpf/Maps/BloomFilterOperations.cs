using System.Runtime.InteropServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>The native part of a Bloom filter.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct BloomFilterHeader
{
    internal MapHeader Map;
    internal ulong* Bits;

    /// <summary>The number of bits less one: a power of two.</summary>
    internal ulong Mask;

    /// <summary>How many bits a value has.</summary>
    internal uint Hashes;
    internal ulong Seed;
}

/// <summary>
/// Hot path of Bloom filters (kernel/bpf/bloom_filter.c). The hashes are not the kernel's, so other values than there are
/// taken for members.
/// </summary>
internal readonly unsafe struct BloomFilterOperations : IMapOperations
{
    public static byte* LookupElement(MapHeader* map, BpfRuntime* runtime, byte* key) => null;

    public static long UpdateElement(MapHeader* map, BpfRuntime* runtime, byte* key, byte* value, ulong flags) =>
        -Errno.EINVAL;

    public static long DeleteElement(MapHeader* map, BpfRuntime* runtime, byte* key) => -Errno.EOPNOTSUPP;

    public static long Redirect(MapHeader* map, BpfRuntime* runtime, ulong key, ulong flags) => (long)XdpAction.Aborted;

    /// <summary><c>bpf_map_push_elem</c>: adds a value.</summary>
    internal static long Push(BloomFilterHeader* filter, byte* value, ulong flags)
    {
        if (flags != UpdateFlags.Any)
        {
            return -Errno.EINVAL;
        }
        var (bit, step) = Hash(filter, value);
        for (var i = 0u; i < filter->Hashes; i++, bit += step)
        {
            Interlocked.Or(ref filter->Bits[(bit & filter->Mask) / 64], 1ul << (int)(bit & 63));
        }
        return 0;
    }

    /// <summary><c>bpf_map_peek_elem</c>: 0 if the value may have been added, ENOENT if it was not.</summary>
    internal static long Peek(BloomFilterHeader* filter, byte* value)
    {
        var (bit, step) = Hash(filter, value);
        for (var i = 0u; i < filter->Hashes; i++, bit += step)
        {
            if ((Volatile.Read(ref filter->Bits[(bit & filter->Mask) / 64]) & (1ul << (int)(bit & 63))) == 0)
            {
                return -Errno.ENOENT;
            }
        }
        return 0;
    }

    // Two hashes make all others (Kirsch and Mitzenmacher 2006); an odd step meets every bit.
    private static (ulong Bit, ulong Step) Hash(BloomFilterHeader* filter, byte* value)
    {
        var hash = HashMix.Hash(filter->Seed, value, filter->Map.ValueSize);
        return (hash, HashMix.Fold(hash, HashMix.First) | 1);
    }
}
