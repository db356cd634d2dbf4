using System.Runtime.CompilerServices;

namespace RxStages.Bpf.Maps;

/// <summary>
/// Keys of a size that is known when code is compiled, so that hashing and comparing need no loop. The hash multiplies to
/// 128 bits and folds, after wyhash; its seed is the map's own and secret, so that nobody can choose keys that collide.
/// </summary>
internal unsafe interface IHashKey
{
    static abstract ulong Hash(HashHeader* map, byte* key);

    static abstract bool Equal(HashHeader* map, byte* left, byte* right);

    static abstract void Copy(HashHeader* map, byte* from, byte* to);
}

/// <summary>Keys of 4 bytes.</summary>
internal readonly unsafe struct Key4 : IHashKey
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Hash(HashHeader* map, byte* key) =>
        HashMix.Fold(Unsafe.ReadUnaligned<uint>(key) ^ map->Seed, HashMix.First);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Equal(HashHeader* map, byte* left, byte* right) =>
        Unsafe.ReadUnaligned<uint>(left) == Unsafe.ReadUnaligned<uint>(right);

    public static void Copy(HashHeader* map, byte* from, byte* to) =>
        Unsafe.WriteUnaligned(to, Unsafe.ReadUnaligned<uint>(from));
}

/// <summary>Keys of 8 bytes.</summary>
internal readonly unsafe struct Key8 : IHashKey
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Hash(HashHeader* map, byte* key) =>
        HashMix.Fold(Unsafe.ReadUnaligned<ulong>(key) ^ map->Seed, HashMix.First);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Equal(HashHeader* map, byte* left, byte* right) =>
        Unsafe.ReadUnaligned<ulong>(left) == Unsafe.ReadUnaligned<ulong>(right);

    public static void Copy(HashHeader* map, byte* from, byte* to) =>
        Unsafe.WriteUnaligned(to, Unsafe.ReadUnaligned<ulong>(from));
}

/// <summary>Keys of 16 bytes.</summary>
internal readonly unsafe struct Key16 : IHashKey
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Hash(HashHeader* map, byte* key) =>
        HashMix.Fold(
            HashMix.Fold(Unsafe.ReadUnaligned<ulong>(key) ^ map->Seed, HashMix.First)
                ^ Unsafe.ReadUnaligned<ulong>(key + 8),
            HashMix.Second
        );

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Equal(HashHeader* map, byte* left, byte* right) =>
        Unsafe.ReadUnaligned<UInt128>(left) == Unsafe.ReadUnaligned<UInt128>(right);

    public static void Copy(HashHeader* map, byte* from, byte* to) =>
        Unsafe.WriteUnaligned(to, Unsafe.ReadUnaligned<UInt128>(from));
}

/// <summary>Keys of any other size.</summary>
internal readonly unsafe struct KeyN : IHashKey
{
    public static ulong Hash(HashHeader* map, byte* key) => HashMix.Hash(map->Seed, key, map->Map.KeySize);

    public static bool Equal(HashHeader* map, byte* left, byte* right)
    {
        var size = (int)map->Map.KeySize;
        return new ReadOnlySpan<byte>(left, size).SequenceEqual(new ReadOnlySpan<byte>(right, size));
    }

    public static void Copy(HashHeader* map, byte* from, byte* to) =>
        Unsafe.CopyBlockUnaligned(to, from, map->Map.KeySize);
}

internal static unsafe class HashMix
{
    // Odd, with about as many ones as zeros (fractions of the golden ratio and of the square root of 2).
    internal const ulong First = 0x9e3779b97f4a7c15;
    internal const ulong Second = 0x6a09e667f3bcc909;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Fold(ulong left, ulong right)
    {
        var high = Math.BigMul(left, right, out var low);
        return high ^ low;
    }

    /// <summary>The hash of any number of bytes.</summary>
    internal static ulong Hash(ulong seed, byte* bytes, uint size)
    {
        var hash = seed ^ size;
        for (; size >= sizeof(ulong); size -= sizeof(ulong), bytes += sizeof(ulong))
        {
            hash = Fold(hash ^ Unsafe.ReadUnaligned<ulong>(bytes), First);
        }
        ulong rest = 0;
        for (var i = 0; i < (int)size; i++)
        {
            rest |= (ulong)bytes[i] << (8 * i);
        }
        return Fold(hash ^ rest, Second);
    }
}
