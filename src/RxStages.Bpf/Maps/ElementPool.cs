using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace RxStages.Bpf.Maps;

/// <summary>
/// The elements of a hash map, numbered from 1 and never moved, in one piece of memory (preallocated) or in chunks that are
/// made when they are first needed. An element has a head, its key and, unless values are per CPU, its value; the first
/// four bytes of the head link it where it stands: in a bucket's overflow list or among the free ones. Per-CPU values lie
/// behind the elements, CPU after CPU, so that CPUs do not share cache lines.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ElementPool
{
    /// <summary>All elements, where they are in one piece; else null.</summary>
    internal byte* Flat;

    /// <summary>The chunks, or nulls where there is none yet; null where all is in one piece.</summary>
    internal byte** Chunks;

    /// <summary>Bytes from one element to the next.</summary>
    internal uint Stride;

    /// <summary>Where in an element the value is; not for per-CPU values.</summary>
    internal uint ValueOffset;

    /// <summary>log2 of the number of elements in a chunk.</summary>
    internal int ChunkShift;

    /// <summary>From a chunk's start (or that of the one piece) to the values of CPU 0; 0 if values are not per CPU.</summary>
    internal nuint PerCpuOffset;

    /// <summary>Bytes from one CPU's values to the next CPU's.</summary>
    internal nuint CpuStride;

    /// <summary>How many per-CPU values an element has; 0 if values are not per CPU.</summary>
    internal int CpuCount;

    /// <summary>Bytes in the slot of a per-CPU value.</summary>
    internal uint PerCpuStride;

    /// <summary>Bytes in a chunk.</summary>
    internal nuint ChunkSize;

    /// <summary>How many bytes of chunks may still be made.</summary>
    internal long BytesLeft;

    /// <summary>The last element's number.</summary>
    internal uint Last;

    /// <summary>The first element that was never used; more than <see cref="Last"/> when all were.</summary>
    internal uint FirstUnused;

    /// <summary>Elements given back, as a stack: the top one in the low half, in the high half a count against ABA.</summary>
    internal ulong FreeTop;

    /// <summary>Takes the element given back last, else one never used; 0 if there is none or no memory for it.</summary>
    internal static uint Take(ElementPool* pool)
    {
        while (true)
        {
            var top = Volatile.Read(ref pool->FreeTop);
            var index = (uint)top;
            if (index == 0)
            {
                return TakeUnused(pool);
            }
            var next = (((top >> 32) + 1) << 32) | Volatile.Read(ref *(uint*)Element(pool, index));
            if (Interlocked.CompareExchange(ref pool->FreeTop, next, top) == top)
            {
                return index;
            }
        }
    }

    /// <summary>Gives an element back.</summary>
    internal static void Return(ElementPool* pool, uint index)
    {
        var link = (uint*)Element(pool, index);
        ulong top;
        do
        {
            top = Volatile.Read(ref pool->FreeTop);
            Volatile.Write(ref *link, (uint)top);
        } while (Interlocked.CompareExchange(ref pool->FreeTop, (((top >> 32) + 1) << 32) | index, top) != top);
    }

    /// <summary>An element's address; its chunk is there.</summary>
    internal static byte* Element(ElementPool* pool, uint index) =>
        pool->Flat is not null ? FlatStore.Element(pool, index) : ChunkedStore.Element(pool, index);

    /// <summary>The address of an element's value, for per-CPU values of a CPU's.</summary>
    internal static byte* Value(ElementPool* pool, uint index, int cpu) =>
        pool->PerCpuOffset == 0 ? Element(pool, index) + pool->ValueOffset
        : pool->Flat is not null ? FlatStore.PerCpuValue(pool, index, cpu)
        : ChunkedStore.PerCpuValue(pool, index, cpu);

    /// <summary>Makes the chunk of an element if it is not there; false if there is no memory for it.</summary>
    internal static bool MakeChunk(ElementPool* pool, uint index)
    {
        if (pool->Flat is not null || Volatile.Read(ref *(nint*)(pool->Chunks + (index >> pool->ChunkShift))) != 0)
        {
            return true;
        }
        if (Interlocked.Add(ref pool->BytesLeft, -(long)pool->ChunkSize) < 0)
        {
            Interlocked.Add(ref pool->BytesLeft, (long)pool->ChunkSize);
            return false;
        }
        var chunk = AllocateChunk(pool->ChunkSize);
        if (chunk == 0)
        {
            return false;
        }
        if (Interlocked.CompareExchange(ref *(nint*)(pool->Chunks + (index >> pool->ChunkShift)), chunk, 0) != 0)
        {
            NativeMemory.AlignedFree((void*)chunk);
            Interlocked.Add(ref pool->BytesLeft, (long)pool->ChunkSize);
        }
        return true;
    }

    /// <summary>Takes an element never used; 0 if there is none or no memory for it.</summary>
    internal static uint TakeUnused(ElementPool* pool)
    {
        while (true)
        {
            var index = Volatile.Read(ref pool->FirstUnused);
            if (index > pool->Last || !MakeChunk(pool, index))
            {
                return 0;
            }
            if (Interlocked.CompareExchange(ref pool->FirstUnused, index + 1, index) == index)
            {
                return index;
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static nint AllocateChunk(nuint size)
    {
        try
        {
            var chunk = NativeMemory.AlignedAlloc(size, 64);
            NativeMemory.Clear(chunk, size);
            return (nint)chunk;
        }
        catch (OutOfMemoryException)
        {
            return 0;
        }
    }
}

/// <summary>Where elements are, known when code is compiled: the hot path's view of an <see cref="ElementPool"/>.</summary>
internal unsafe interface IElementStore
{
    /// <summary>Where in an element its key is.</summary>
    static abstract int KeyOffset { get; }

    /// <summary>An element's address.</summary>
    static abstract byte* Element(ElementPool* pool, uint index);

    /// <summary>The address of a CPU's value of an element.</summary>
    static abstract byte* PerCpuValue(ElementPool* pool, uint index, int cpu);
}

/// <summary>Elements in one piece; their head is the link.</summary>
internal readonly unsafe struct FlatStore : IElementStore
{
    public static int KeyOffset => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Element(ElementPool* pool, uint index) => pool->Flat + ((nuint)index * pool->Stride);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* PerCpuValue(ElementPool* pool, uint index, int cpu) =>
        pool->Flat + pool->PerCpuOffset + ((nuint)(uint)cpu * pool->CpuStride) + ((nuint)index * pool->PerCpuStride);
}

/// <summary>Elements in chunks; their head is the link.</summary>
internal readonly unsafe struct ChunkedStore : IElementStore
{
    public static int KeyOffset => 4;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Element(ElementPool* pool, uint index) =>
        pool->Chunks[index >> pool->ChunkShift] + ((nuint)Place(pool, index) * pool->Stride);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* PerCpuValue(ElementPool* pool, uint index, int cpu) =>
        pool->Chunks[index >> pool->ChunkShift]
        + pool->PerCpuOffset
        + ((nuint)(uint)cpu * pool->CpuStride)
        + ((nuint)Place(pool, index) * pool->PerCpuStride);

    private static uint Place(ElementPool* pool, uint index) => index & ((1u << pool->ChunkShift) - 1);
}

/// <summary>Elements of an LRU map: in one piece; their head is the link and the mark that they were looked up.</summary>
internal readonly unsafe struct LruStore : IElementStore
{
    /// <summary>Where in an element the mark is, 0 or 1 in four bytes.</summary>
    internal const int ReferencedOffset = 4;

    public static int KeyOffset => 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* Element(ElementPool* pool, uint index) => FlatStore.Element(pool, index);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* PerCpuValue(ElementPool* pool, uint index, int cpu) => FlatStore.PerCpuValue(pool, index, cpu);
}
