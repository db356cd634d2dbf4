using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>The native part of the hash maps.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct HashHeader
{
    internal MapHeader Map;

    /// <summary>The buckets: a power of two.</summary>
    internal HashBucket* Buckets;

    /// <summary>The number of buckets less one.</summary>
    internal ulong BucketMask;

    /// <summary>Seed of the hash.</summary>
    internal ulong Seed;

    /// <summary>
    /// One element more for each CPU and one for the control path, which replaces an element on update; 0 while in use
    /// (the kernel's <c>extra_elems</c>).
    /// </summary>
    internal uint* Extra;

    /// <summary>LRU maps: the lists.</summary>
    internal LruState Lru;

    /// <summary>The elements.</summary>
    internal ElementPool Pool;

    /// <summary>Finds a key's element without any trace of it: its number or 0. For the control path.</summary>
    internal delegate* <HashHeader*, byte*, uint> Find;

    /// <summary>Updates with a CPU number as the map's type takes it. For the control path.</summary>
    internal delegate* <HashHeader*, int, byte*, byte*, ulong, long> Update;

    /// <summary>Takes a key's element out of the table; its number, or 0. For the control path.</summary>
    internal delegate* <HashHeader*, byte*, uint> Remove;

    /// <summary>Deletes. For the control path.</summary>
    internal delegate* <MapHeader*, BpfRuntime*, byte*, long> Delete;

    /// <summary>Takes an element out of the table by its number, unless it is not there: for eviction.</summary>
    internal delegate* <HashHeader*, uint, bool> Evict;
}

/// <summary>
/// A bucket: a cache line with the tags (parts of hashes) and numbers of up to eight elements. More than that, which is
/// rare, hang in a list behind it.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal unsafe struct HashBucket
{
    internal const int Ways = 8;

    /// <summary>Per slot a tag, or 0 where it is empty.</summary>
    [FieldOffset(0)]
    internal fixed ushort Tags[Ways];

    /// <summary>Per slot the element's number.</summary>
    [FieldOffset(16)]
    internal fixed uint Elements[Ways];

    /// <summary>The first element of the overflow list, or 0.</summary>
    [FieldOffset(48)]
    internal uint Overflow;

    /// <summary>The <see cref="VersionLock"/> of updates.</summary>
    [FieldOffset(52)]
    internal uint Version;

    /// <summary>The tag of a hash: bits that do not choose the bucket, never 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ushort Tag(ulong hash) => (ushort)((hash >> 48) | 1);

    /// <summary>A bit for each slot that has the tag (0: that is empty).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static uint Match(HashBucket* bucket, ushort tag) =>
        Vector128.Equals(Vector128.Load((ushort*)bucket), Vector128.Create(tag)).ExtractMostSignificantBits();

    internal static void Lock(HashBucket* bucket) => VersionLock.Enter(&bucket->Version);

    internal static void Unlock(HashBucket* bucket) => VersionLock.Exit(&bucket->Version);
}
