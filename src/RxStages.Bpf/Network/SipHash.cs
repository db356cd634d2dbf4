using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace RxStages.Bpf.Network;

/// <summary>A key of <see cref="SipHash"/>.</summary>
internal readonly record struct SipHashKey(ulong First, ulong Second)
{
    /// <summary>A key that follows from a seed, or without one a random key.</summary>
    /// <param name="seed">The seed, or null.</param>
    /// <param name="number">Which of the keys of that seed.</param>
    public static SipHashKey From(ulong? seed, ulong number)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (seed is not { } known)
        {
            RandomNumberGenerator.Fill(bytes);
            return new(
                BinaryPrimitives.ReadUInt64LittleEndian(bytes),
                BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..])
            );
        }
        var root = new SipHashKey(known, number);
        return new(SipHash.Compute(root, [0]), SipHash.Compute(root, [1]));
    }
}

/// <summary>SipHash-2-4 (Aumasson and Bernstein 2012): a keyed hash that who does not know the key cannot foresee.</summary>
internal static class SipHash
{
    /// <summary>The hash of whole words, which as bytes are little-endian.</summary>
    public static ulong Compute(in SipHashKey key, ReadOnlySpan<ulong> words) =>
        Compute(key, words, (ulong)(words.Length * sizeof(ulong)) << 56);

    /// <summary>The hash of words and up to seven bytes behind them.</summary>
    /// <param name="key">The key.</param>
    /// <param name="words">The whole words.</param>
    /// <param name="last">The bytes behind them, and the length of all, modulo 256, in the highest byte.</param>
    public static ulong Compute(in SipHashKey key, ReadOnlySpan<ulong> words, ulong last)
    {
        var v0 = 0x736f6d6570736575 ^ key.First;
        var v1 = 0x646f72616e646f6d ^ key.Second;
        var v2 = 0x6c7967656e657261 ^ key.First;
        var v3 = 0x7465646279746573 ^ key.Second;
        foreach (var word in words)
        {
            v3 ^= word;
            Rounds(2, ref v0, ref v1, ref v2, ref v3);
            v0 ^= word;
        }
        v3 ^= last;
        Rounds(2, ref v0, ref v1, ref v2, ref v3);
        v0 ^= last;
        v2 ^= 0xff;
        Rounds(4, ref v0, ref v1, ref v2, ref v3);
        return v0 ^ v1 ^ v2 ^ v3;
    }

    private static void Rounds(int count, ref ulong v0, ref ulong v1, ref ulong v2, ref ulong v3)
    {
        for (var i = 0; i < count; i++)
        {
            v0 += v1;
            v1 = BitOperations.RotateLeft(v1, 13) ^ v0;
            v0 = BitOperations.RotateLeft(v0, 32);
            v2 += v3;
            v3 = BitOperations.RotateLeft(v3, 16) ^ v2;
            v0 += v3;
            v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
            v2 += v1;
            v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
            v2 = BitOperations.RotateLeft(v2, 32);
        }
    }
}
