using System.Numerics;
using System.Security.Cryptography;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>Control path of all hash maps: their memory, and the system call's side of them.</summary>
public abstract unsafe class HashMapBase : NativeMap
{
    // On average at most so many elements per bucket of eight slots: few buckets overflow.
    private const uint ElementsPerBucket = 5;

    private const uint ChunkBytes = 1 << 20;

    private protected HashMapBase(MapSpec spec, MapOptions options)
        : base(spec, options)
    {
        IsPerCpu = spec.Type is MapType.PercpuHash or MapType.LruPercpuHash;
        SyscallValueSize = IsPerCpu ? checked((int)ValueStride * CpuCount) : (int)spec.ValueSize;
        Table = Memory.Reserve<HashHeader>();
        var buckets = BitOperations.RoundUpToPowerOf2(
            ((ulong)spec.MaxEntries + ElementsPerBucket - 1) / ElementsPerBucket
        );
        Table->Buckets = (HashBucket*)Memory.Reserve((UInt128)buckets * (uint)sizeof(HashBucket));
        Table->BucketMask = buckets - 1;
        Span<byte> seed = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(seed);
        Table->Seed = spec.Flags.HasFlag(MapFlags.ZeroSeed) ? 0 : BitConverter.ToUInt64(seed);
    }

    /// <inheritdoc/>
    public sealed override MapHeader* Header => &Table->Map;

    /// <inheritdoc/>
    public sealed override int SyscallValueSize { get; }

    private protected HashHeader* Table { get; }

    private protected bool IsPerCpu { get; }

    /// <summary>What the system call's updates give for the CPU number.</summary>
    private protected abstract int ControlCpu { get; }

    /// <inheritdoc/>
    public sealed override bool ContainsValue(byte* address, int size)
    {
        var pool = &Table->Pool;
        if (pool->Flat is not null)
        {
            return ContainsValue(pool->Flat, pool->Last + 1, address, size);
        }
        for (var i = 0u; i <= pool->Last >> pool->ChunkShift; i++)
        {
            var chunk = pool->Chunks[i];
            if (chunk is not null && ContainsValue(chunk, 1u << pool->ChunkShift, address, size))
            {
                return true;
            }
        }
        return false;
    }

    internal sealed override int Read(ReadOnlySpan<byte> key, Span<byte> value)
    {
        fixed (byte* keyBytes = key)
        {
            var index = Table->Find(Table, keyBytes);
            if (index == 0)
            {
                return -Errno.ENOENT;
            }
            var cpuStride = IsPerCpu ? Table->Pool.CpuStride : 0;
            PerCpuValues.Read(ElementPool.Value(&Table->Pool, index, 0), cpuStride, CpuCount, value, Spec.ValueSize);
            return 0;
        }
    }

    internal sealed override int Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags)
    {
        fixed (
            byte* keyBytes = key,
                valueBytes = value
        )
        {
            return (int)Table->Update(Table, ControlCpu, keyBytes, valueBytes, flags);
        }
    }

    internal sealed override int Remove(ReadOnlySpan<byte> key)
    {
        fixed (byte* keyBytes = key)
        {
            return (int)Header->DeleteElement(Header, null, keyBytes);
        }
    }

    /// <summary>
    /// The order is that of the elements' places in memory, so that it does not depend on the seed: entries that are only
    /// added come in the order in which they were.
    /// </summary>
    internal sealed override int Next(ReadOnlySpan<byte> key, Span<byte> next)
    {
        var pool = &Table->Pool;
        uint index = 0;
        if (!key.IsEmpty)
        {
            fixed (byte* keyBytes = key)
            {
                index = Table->Find(Table, keyBytes);
            }
        }
        while (index++ < pool->Last)
        {
            if (pool->Flat is null && pool->Chunks[index >> pool->ChunkShift] is null)
            {
                index |= (1u << pool->ChunkShift) - 1;
                continue;
            }
            var candidate = ElementPool.Element(pool, index) + KeyOffset;
            // An element that is not in use has no key, or one that another element has or none.
            if (Table->Find(Table, candidate) == index)
            {
                new ReadOnlySpan<byte>(candidate, (int)Spec.KeySize).CopyTo(next);
                return 0;
            }
        }
        return -Errno.ENOENT;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            ElementPool.FreeChunks(&Table->Pool);
        }
        base.Dispose(disposing);
    }

    /// <summary>Reserves the elements: those of the map and extra ones, which come first.</summary>
    private protected void Reserve(int keyOffset, uint extra, bool isChunked)
    {
        KeyOffset = keyOffset;
        var pool = &Table->Pool;
        var valueOffset = ((uint)keyOffset + Spec.KeySize + 7) & ~7u;
        var size = valueOffset + (IsPerCpu ? 0 : ValueStride);
        pool->ValueOffset = valueOffset;
        // Small elements do not straddle cache lines, large ones not with their key.
        pool->Stride = size <= 64 ? BitOperations.RoundUpToPowerOf2(size) : (size + 31) & ~31u;
        pool->PerCpuStride = IsPerCpu ? ValueStride : 0;
        pool->Last = extra + Spec.MaxEntries;
        pool->FirstUnused = extra + 1;
        if (!isChunked)
        {
            pool->Flat = Memory.Reserve(Layout((ulong)pool->Last + 1));
            return;
        }
        var each = pool->Stride + ((ulong)pool->PerCpuStride * (uint)CpuCount);
        pool->ChunkShift = BitOperations.Log2(
            (uint)Math.Clamp(ChunkBytes / each, 1, BitOperations.RoundUpToPowerOf2((ulong)pool->Last + 1))
        );
        pool->ChunkSize = (nuint)Layout(1ul << pool->ChunkShift);
        pool->Chunks = (byte**)Memory.Reserve((UInt128)((pool->Last >> pool->ChunkShift) + 1) * (uint)sizeof(byte*));
        pool->BytesLeft = Memory.Left;
        // Number 0 and the extra elements are always there.
        for (var i = 0u; i <= extra; i++)
        {
            if (!ElementPool.MakeChunk(pool, i))
            {
                throw new Errors.InputException($"map {Spec.Name}", null, "there is no memory for its first entries");
            }
        }
    }

    private int KeyOffset { get; set; }

    // Lays out a piece of so many elements and the per-CPU values behind them; returns its size.
    private UInt128 Layout(ulong count)
    {
        var pool = &Table->Pool;
        var elements = ((UInt128)count * pool->Stride + 63) & ~(UInt128)63;
        var values = ((UInt128)count * pool->PerCpuStride + 63) & ~(UInt128)63;
        pool->PerCpuOffset = IsPerCpu ? (nuint)elements : 0;
        pool->CpuStride = (nuint)values;
        return elements + (values * (uint)CpuCount);
    }

    private bool ContainsValue(byte* piece, ulong count, byte* address, int size)
    {
        var pool = &Table->Pool;
        var offset = (ulong)address - (ulong)piece;
        if (address < piece || size < 0)
        {
            return false;
        }
        if (!IsPerCpu)
        {
            var inElement = offset % pool->Stride;
            return offset / pool->Stride < count
                && inElement >= pool->ValueOffset
                && inElement - pool->ValueOffset + (uint)size <= Spec.ValueSize;
        }
        if (offset < pool->PerCpuOffset || offset - pool->PerCpuOffset >= pool->CpuStride * (nuint)CpuCount)
        {
            return false;
        }
        var inCpu = (offset - pool->PerCpuOffset) % pool->CpuStride;
        return inCpu / pool->PerCpuStride < count && inCpu % pool->PerCpuStride + (uint)size <= Spec.ValueSize;
    }
}
