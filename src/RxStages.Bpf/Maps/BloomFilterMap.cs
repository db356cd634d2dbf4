using System.Numerics;
using System.Security.Cryptography;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// A live Bloom filter (kernel/bpf/bloom_filter.c): a set that can only grow and may say of a value that was never added that
/// it is there, but never the reverse. <see cref="MapSpec.Extra"/> is the number of hash functions.
/// </summary>
public sealed unsafe class BloomFilterMap : NativeMap
{
    private const uint DefaultHashes = 5;

    private readonly BloomFilterHeader* _header;

    internal BloomFilterMap(MapSpec spec, MapOptions options)
        : base(spec, options)
    {
        _header = Memory.Reserve<BloomFilterHeader>();
        _header->Hashes = spec.Extra == 0 ? DefaultHashes : (uint)spec.Extra;
        // About n k / ln 2 bits, in whole numbers as the kernel reckons them.
        var bits = (UInt128)spec.MaxEntries * _header->Hashes / 5 * 7;
        var size = bits > 1u << 31 ? 1ul << 32 : BitOperations.RoundUpToPowerOf2((ulong)UInt128.Max(bits, 64));
        _header->Mask = size - 1;
        _header->Bits = (ulong*)Memory.Reserve((UInt128)size / 8);
        Span<byte> seed = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(seed);
        _header->Seed = spec.Flags.HasFlag(MapFlags.ZeroSeed) ? 0 : BitConverter.ToUInt64(seed);
        Operations = Initialize<BloomFilterOperations>(&_header->Map);
    }

    /// <inheritdoc/>
    public override MapHeader* Header => &_header->Map;

    /// <inheritdoc/>
    public override Type Operations { get; }

    /// <summary>A look-up asks about the value that it is given.</summary>
    internal override int Read(ReadOnlySpan<byte> key, Span<byte> value, ulong flags)
    {
        fixed (byte* bytes = value)
        {
            return (int)BloomFilterOperations.Peek(_header, bytes);
        }
    }

    internal override int Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags)
    {
        fixed (byte* bytes = value)
        {
            return (int)BloomFilterOperations.Push(_header, bytes, flags);
        }
    }

    internal override int Remove(ReadOnlySpan<byte> key) => -Errno.EOPNOTSUPP;

    internal override int Next(ReadOnlySpan<byte> key, Span<byte> next) => -Errno.EOPNOTSUPP;
}
