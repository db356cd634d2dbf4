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

    private int _keyOffset;

    private protected HashMapBase(MapSpec spec, MapOptions options)
        : base(spec, options)
    {
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

    private protected HashHeader* Table { get; }

    /// <summary>What the system call's updates give for the CPU number.</summary>
    private protected abstract int ControlCpu { get; }

    /// <inheritdoc/>
    public override bool ContainsValue(byte* address, int size) =>
        ElementPoolMemory.ContainsValue(&Table->Pool, address, size, Spec.ValueSize);

    internal override int Read(ReadOnlySpan<byte> key, Span<byte> value, ulong flags)
    {
        fixed (byte* keyBytes = key)
        {
            var index = Table->Find(Table, keyBytes);
            if (index == 0)
            {
                return -Errno.ENOENT;
            }
            ReadElement(index, value, flags);
            return 0;
        }
    }

    internal override int Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags)
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
            return (int)Table->Delete(Header, null, keyBytes);
        }
    }

    /// <summary>Takes an entry out and copies its value, which nobody writes any more by then.</summary>
    private protected int TakeElement(ReadOnlySpan<byte> key, Span<byte> value)
    {
        fixed (byte* keyBytes = key)
        {
            var index = Table->Remove(Table, keyBytes);
            if (index == 0)
            {
                return -Errno.ENOENT;
            }
            ReadElement(index, value, flags: 0);
            if (Table->Lru.Nodes is null)
            {
                ElementPool.Return(&Table->Pool, index);
            }
            else
            {
                Lru.Return(Table, index);
            }
            return 0;
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
            var candidate = ElementPool.Element(pool, index) + _keyOffset;
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
            ElementPoolMemory.FreeChunks(&Table->Pool);
        }
        base.Dispose(disposing);
    }

    /// <summary>Binds the header to the operations for the size of the map's keys; gives their type.</summary>
    private protected Type BindStore<TStore>()
        where TStore : struct, IElementStore =>
        Spec.KeySize switch
        {
            4 => Bind<Key4, TStore>(),
            8 => Bind<Key8, TStore>(),
            16 => Bind<Key16, TStore>(),
            _ => Bind<KeyN, TStore>(),
        };

    /// <summary>Binds the header to the operations for that kind of keys and elements; gives their type.</summary>
    private protected abstract Type Bind<TKey, TStore>()
        where TKey : struct, IHashKey
        where TStore : struct, IElementStore;

    private void ReadElement(uint index, Span<byte> value, ulong flags)
    {
        var cpuStride = IsPerCpu ? Table->Pool.CpuStride : 0;
        PerCpuValues.Read(Header, ElementPool.Value(&Table->Pool, index, 0), cpuStride, value, flags);
    }

    /// <summary>Reserves the elements: those of the map and extra ones, which come first.</summary>
    private protected void Reserve(int keyOffset, uint extra, bool isChunked)
    {
        _keyOffset = keyOffset;
        ElementPoolMemory.Reserve(
            &Table->Pool,
            Memory,
            new ElementPoolMemory.Shape(
                Spec,
                HeadAndKey: (uint)keyOffset + Spec.KeySize,
                CpuCount: IsPerCpu ? CpuCount : 0,
                First: extra + 1,
                Last: extra + Spec.MaxEntries,
                isChunked
            )
        );
    }
}
