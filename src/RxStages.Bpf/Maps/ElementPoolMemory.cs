using System.Numerics;
using System.Runtime.InteropServices;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Maps;

/// <summary>Control path of <see cref="ElementPool"/>: laying it out, and knowing its values by their addresses.</summary>
internal static unsafe class ElementPoolMemory
{
    private const uint ChunkBytes = 1 << 20;

    /// <summary>What a pool is to hold.</summary>
    /// <param name="Spec">The map's definition.</param>
    /// <param name="HeadAndKey">Bytes in an element in front of its value.</param>
    /// <param name="CpuCount">How many per-CPU values each element has; 0 if its value is not per CPU.</param>
    /// <param name="First">The first element that is free; those before it are in use from the start.</param>
    /// <param name="Last">The last element.</param>
    /// <param name="IsChunked">True to take memory as it is needed.</param>
    internal readonly record struct Shape(
        MapSpec Spec,
        uint HeadAndKey,
        int CpuCount,
        uint First,
        uint Last,
        bool IsChunked
    )
    {
        internal uint ValueStride => (Spec.ValueSize + 7) & ~7u;
    }

    internal static void Reserve(ElementPool* pool, MapMemory memory, Shape shape)
    {
        pool->ValueOffset = (shape.HeadAndKey + 7) & ~7u;
        var size = pool->ValueOffset + (shape.CpuCount != 0 ? 0 : shape.ValueStride);
        // Small elements do not straddle cache lines, large ones not with their head and a key of usual size.
        pool->Stride = size <= 64 ? BitOperations.RoundUpToPowerOf2(size) : (size + 31) & ~31u;
        pool->PerCpuStride = shape.CpuCount != 0 ? shape.ValueStride : 0;
        pool->CpuCount = shape.CpuCount;
        pool->Last = shape.Last;
        pool->FirstUnused = shape.First;
        if (!shape.IsChunked)
        {
            pool->Flat = memory.Reserve(LayOut(pool, (ulong)pool->Last + 1));
            return;
        }
        var each = pool->Stride + ((ulong)pool->PerCpuStride * (uint)shape.CpuCount);
        var all = BitOperations.RoundUpToPowerOf2((ulong)pool->Last + 1);
        pool->ChunkShift = BitOperations.Log2(Math.Clamp(ChunkBytes / each, 1, all));
        pool->ChunkSize = (nuint)LayOut(pool, 1ul << pool->ChunkShift);
        pool->Chunks = (byte**)memory.Reserve(((UInt128)(pool->Last >> pool->ChunkShift) + 1) * (uint)sizeof(byte*));
        pool->BytesLeft = memory.Left;
        // Number 0, which stands for none, and the elements in use from the start are there.
        for (var i = 0u; i < shape.First; i++)
        {
            if (!ElementPool.MakeChunk(pool, i))
            {
                throw new InputException($"map {shape.Spec.Name}", null, "there is no memory for its first entries");
            }
        }
    }

    /// <summary>True when so many bytes lie in the value of one element, in use or not: as in the kernel its memory stays.</summary>
    internal static bool ContainsValue(ElementPool* pool, byte* address, int size, uint valueSize)
    {
        if (pool->Flat is not null)
        {
            return ContainsValue(pool, pool->Flat, (ulong)pool->Last + 1, address, size, valueSize);
        }
        for (var i = 0u; i <= pool->Last >> pool->ChunkShift; i++)
        {
            var chunk = pool->Chunks[i];
            if (chunk is not null && ContainsValue(pool, chunk, 1ul << pool->ChunkShift, address, size, valueSize))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>Frees the chunks; what is in one piece is the map's memory.</summary>
    internal static void FreeChunks(ElementPool* pool)
    {
        for (var i = 0u; pool->Chunks is not null && i <= pool->Last >> pool->ChunkShift; i++)
        {
            NativeMemory.AlignedFree(pool->Chunks[i]);
        }
    }

    // Lays out a piece of so many elements and the per-CPU values behind them; returns its size.
    private static UInt128 LayOut(ElementPool* pool, ulong count)
    {
        var elements = (((UInt128)count * pool->Stride) + 63) & ~(UInt128)63;
        var values = (((UInt128)count * pool->PerCpuStride) + 63) & ~(UInt128)63;
        pool->PerCpuOffset = pool->CpuCount != 0 ? (nuint)elements : 0;
        pool->CpuStride = (nuint)values;
        return elements + (values * (uint)pool->CpuCount);
    }

    private static bool ContainsValue(
        ElementPool* pool,
        byte* piece,
        ulong count,
        byte* address,
        int size,
        uint valueSize
    )
    {
        if (address < piece || size < 0)
        {
            return false;
        }
        ulong offset = (nuint)address - (nuint)piece;
        if (pool->CpuCount == 0)
        {
            var inElement = offset % pool->Stride;
            return offset / pool->Stride < count
                && inElement >= pool->ValueOffset
                && inElement - pool->ValueOffset + (uint)size <= valueSize;
        }
        if (offset < pool->PerCpuOffset || offset - pool->PerCpuOffset >= pool->CpuStride * (nuint)pool->CpuCount)
        {
            return false;
        }
        var inCpu = (offset - pool->PerCpuOffset) % pool->CpuStride;
        return inCpu / pool->PerCpuStride < count && (inCpu % pool->PerCpuStride) + (uint)size <= valueSize;
    }
}
