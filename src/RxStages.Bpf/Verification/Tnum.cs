using System.Numerics;

namespace RxStages.Bpf.Verification;

/// <summary>
/// A tristate number, after the kernel's <c>struct tnum</c>: of every bit it is known to be 0, known to be 1, or unknown.
/// Operations are sound: the result holds every number that the operation gives on numbers that the operands hold.
/// </summary>
/// <param name="Value">The bits known to be 1; 0 wherever <paramref name="Mask"/> is 1.</param>
/// <param name="Mask">The unknown bits.</param>
internal readonly record struct Tnum(ulong Value, ulong Mask)
{
    /// <summary>Nothing is known.</summary>
    public static readonly Tnum Unknown = new(0, ulong.MaxValue);

    /// <summary>True when every bit is known.</summary>
    public bool IsConstant => Mask == 0;

    /// <summary>True when nothing is known.</summary>
    public bool IsUnknown => Mask == ulong.MaxValue;

    /// <summary>The low 32 bits, zero-extended.</summary>
    public Tnum Subregister => Cast(4);

    /// <summary>The smallest unsigned number held.</summary>
    public ulong Min => Value;

    /// <summary>The greatest unsigned number held.</summary>
    public ulong Max => Value | Mask;

    /// <summary>Exactly one number.</summary>
    public static Tnum Constant(ulong value) => new(value, 0);

    /// <summary>The best tristate number that holds all of min to max.</summary>
    public static Tnum Range(ulong min, ulong max)
    {
        var unknownBits = 64 - BitOperations.LeadingZeroCount(min ^ max);
        if (unknownBits == 64)
        {
            return Unknown;
        }
        var mask = (1ul << unknownBits) - 1;
        return new Tnum(min & ~mask, mask);
    }

    /// <summary>True when the number is held.</summary>
    public bool Contains(ulong number) => (number & ~Mask) == Value;

    /// <summary>True when every number that <paramref name="other"/> holds is held here (<c>tnum_in</c>).</summary>
    public bool Contains(Tnum other) => (other.Mask & ~Mask) == 0 && (other.Value & ~Mask) == Value;

    /// <summary>True when some number is held by both.</summary>
    public bool Overlaps(Tnum other) => ((Value ^ other.Value) & ~(Mask | other.Mask)) == 0;

    /// <summary>What both hold; they must overlap.</summary>
    public Tnum Intersect(Tnum other)
    {
        var mask = Mask & other.Mask;
        return new Tnum((Value | other.Value) & ~mask, mask);
    }

    /// <summary>True when every number held is a multiple of <paramref name="size"/>, a power of two.</summary>
    public bool IsAligned(ulong size) => ((Value | Mask) & (size - 1)) == 0;

    /// <summary>Truncated to some bytes, zero-extended.</summary>
    public Tnum Cast(int bytes)
    {
        var keep = bytes == 8 ? ulong.MaxValue : (1ul << (bytes * 8)) - 1;
        return new Tnum(Value & keep, Mask & keep);
    }

    /// <summary>The low 32 bits replaced by those of another.</summary>
    public Tnum WithSubregister(Tnum low) =>
        new((Value & ~0xffffffffUL) | (uint)low.Value, (Mask & ~0xffffffffUL) | (uint)low.Mask);

    /// <summary>Sign-extended from its low <paramref name="bits"/>.</summary>
    public Tnum SignExtend(int bits) => ShiftLeft(64 - bits).ShiftRightArithmetic(64 - bits);

    public Tnum ShiftLeft(int count) => new(Value << count, Mask << count);

    public Tnum ShiftRight(int count) => new(Value >> count, Mask >> count);

    public Tnum ShiftRightArithmetic(int count) => new((ulong)((long)Value >> count), (ulong)((long)Mask >> count));

    /// <summary>The order of the low <paramref name="bytes"/> bytes reversed, the rest cleared.</summary>
    public Tnum ReverseBytes(int bytes)
    {
        var shift = 64 - (bytes * 8);
        return new Tnum(
            System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(Value << shift) & (ulong.MaxValue >> shift),
            System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(Mask << shift) & (ulong.MaxValue >> shift)
        );
    }

    // Add and subtract: a bit of the result is unknown where it is unknown in an operand, or where the carry into it
    // differs between the extreme cases (all unknown bits 0, all unknown bits 1).
    public static Tnum operator +(Tnum a, Tnum b)
    {
        var least = a.Value + b.Value;
        var carries = (least + a.Mask + b.Mask) ^ least;
        var mask = carries | a.Mask | b.Mask;
        return new Tnum(least & ~mask, mask);
    }

    public static Tnum operator -(Tnum a, Tnum b)
    {
        var difference = a.Value - b.Value;
        var borrows = (difference + a.Mask) ^ (difference - b.Mask);
        var mask = borrows | a.Mask | b.Mask;
        return new Tnum(difference & ~mask, mask);
    }

    public static Tnum operator -(Tnum a) => Constant(0) - a;

    public static Tnum operator &(Tnum a, Tnum b)
    {
        var value = a.Value & b.Value;
        return new Tnum(value, a.Max & b.Max & ~value);
    }

    public static Tnum operator |(Tnum a, Tnum b)
    {
        var value = a.Value | b.Value;
        return new Tnum(value, (a.Mask | b.Mask) & ~value);
    }

    public static Tnum operator ^(Tnum a, Tnum b)
    {
        var mask = a.Mask | b.Mask;
        return new Tnum((a.Value ^ b.Value) & ~mask, mask);
    }

    /// <summary>Long multiplication: the product of the known bits, plus what every unknown bit may add.</summary>
    public static Tnum operator *(Tnum a, Tnum b)
    {
        var known = Constant(a.Value * b.Value);
        var unknown = Constant(0);
        while ((a.Value | a.Mask) != 0)
        {
            if ((a.Value & 1) != 0)
            {
                unknown += new Tnum(0, b.Mask);
            }
            else if ((a.Mask & 1) != 0)
            {
                unknown += new Tnum(0, b.Max);
            }
            a = a.ShiftRight(1);
            b = b.ShiftLeft(1);
        }
        return known + unknown;
    }

    public override string ToString() => IsConstant ? $"0x{Value:x}" : $"(0x{Value:x}; 0x{Mask:x})";
}
