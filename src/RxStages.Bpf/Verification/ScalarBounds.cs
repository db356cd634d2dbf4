namespace RxStages.Bpf.Verification;

/// <summary>
/// What is known of a 64-bit number: its bits, its ranges as unsigned and signed, and those of its low 32 bits; the
/// numeric half of the kernel's <c>struct bpf_reg_state</c>. It stands for the set of all numbers that satisfy all of it.
/// For a pointer it is the variable part of the offset.
/// </summary>
internal struct ScalarBounds : IEquatable<ScalarBounds>
{
    /// <summary>The known bits (<c>var_off</c>).</summary>
    public Tnum Bits;

    public ulong Min;
    public ulong Max;
    public long SignedMin;
    public long SignedMax;
    public uint Min32;
    public uint Max32;
    public int SignedMin32;
    public int SignedMax32;

    /// <summary>Any number.</summary>
    public static readonly ScalarBounds Unknown = new()
    {
        Bits = Tnum.Unknown,
        Max = ulong.MaxValue,
        SignedMin = long.MinValue,
        SignedMax = long.MaxValue,
        Max32 = uint.MaxValue,
        SignedMin32 = int.MinValue,
        SignedMax32 = int.MaxValue,
    };

    /// <summary>Exactly one number.</summary>
    public static ScalarBounds Constant(ulong value) =>
        new()
        {
            Bits = Tnum.Constant(value),
            Min = value,
            Max = value,
            SignedMin = (long)value,
            SignedMax = (long)value,
            Min32 = (uint)value,
            Max32 = (uint)value,
            SignedMin32 = (int)value,
            SignedMax32 = (int)value,
        };

    /// <summary>Everything of that many bytes, zero-extended.</summary>
    public static ScalarBounds OfSize(int bytes)
    {
        var bounds = Unknown;
        bounds.ZeroExtend(bytes);
        return bounds;
    }

    /// <summary>True when it is exactly one number.</summary>
    public readonly bool IsConstant => Bits.IsConstant;

    /// <summary>True when the low 32 bits are exactly one number.</summary>
    public readonly bool IsConstant32 => (uint)Bits.Mask == 0;

    /// <summary>True when it is exactly 0.</summary>
    public readonly bool IsZero => Bits is { Mask: 0, Value: 0 };

    /// <summary>True when nothing is known.</summary>
    public readonly bool IsUnknown => Equals(Unknown);

    /// <summary>True when no number satisfies the ranges: the path that led here is never taken.</summary>
    public readonly bool IsContradictory =>
        Min > Max
        || SignedMin > SignedMax
        || Min32 > Max32
        || SignedMin32 > SignedMax32
        || Bits.Min > Max
        || Bits.Max < Min;

    /// <summary>True when the number is one of the set.</summary>
    public readonly bool Contains(ulong number) =>
        Bits.Contains(number)
        && number >= Min
        && number <= Max
        && (long)number >= SignedMin
        && (long)number <= SignedMax
        && (uint)number >= Min32
        && (uint)number <= Max32
        && (int)number >= SignedMin32
        && (int)number <= SignedMax32;

    /// <summary>True when the other's set is part of this one (the kernel's <c>range_within</c> and <c>tnum_in</c>).</summary>
    public readonly bool Contains(in ScalarBounds other) =>
        Bits.Contains(other.Bits)
        && Min <= other.Min
        && Max >= other.Max
        && SignedMin <= other.SignedMin
        && SignedMax >= other.SignedMax
        && Min32 <= other.Min32
        && Max32 >= other.Max32
        && SignedMin32 <= other.SignedMin32
        && SignedMax32 >= other.SignedMax32;

    /// <summary>Forgets the ranges of 64 bits, to deduce them anew from what else is known.</summary>
    public void Forget64()
    {
        (Min, Max) = (0, ulong.MaxValue);
        (SignedMin, SignedMax) = (long.MinValue, long.MaxValue);
    }

    /// <summary>Forgets the ranges of the low 32 bits, to deduce them anew from what else is known.</summary>
    public void Forget32()
    {
        (Min32, Max32) = (0, uint.MaxValue);
        (SignedMin32, SignedMax32) = (int.MinValue, int.MaxValue);
    }

    /// <summary>
    /// Lets every representation learn from the others until it is as tight as a few rounds make it; the kernel's
    /// <c>reg_bounds_sync</c>. Contradictory bounds stay contradictory.
    /// </summary>
    public void Deduce()
    {
        LearnRangesFromBits();
        for (var round = 0; round < 3; round++)
        {
            LearnNarrowFromWide();
            LearnWideFromWide();
            LearnWideFromNarrow();
        }
        LearnBitsFromRanges();
        LearnRangesFromBits();
    }

    /// <summary>As <see cref="Deduce"/>, for a result that cannot be contradictory: if it seems so, nothing is known.</summary>
    public void DeduceResult()
    {
        Deduce();
        if (IsContradictory)
        {
            // Only operands from a path that cannot be gone (but was not proved dead) lead here.
            this = Unknown;
        }
    }

    /// <summary>Truncates to some bytes and zero-extends (<c>coerce_reg_to_size</c>, <c>zext_32_to_64</c>).</summary>
    public void ZeroExtend(int bytes)
    {
        if (bytes == 8)
        {
            return;
        }
        Bits = Bits.Cast(bytes);
        if (bytes == 4)
        {
            (Min, Max) = (Min32, Max32);
        }
        else
        {
            var mask = (1ul << (bytes * 8)) - 1;
            if ((Min & ~mask) == (Max & ~mask))
            {
                (Min, Max) = (Min & mask, Max & mask);
            }
            else if ((Min32 & ~mask) == (Max32 & ~mask))
            {
                (Min, Max) = (Min32 & mask, Max32 & mask);
            }
            else
            {
                (Min, Max) = (0, mask);
            }
            Forget32();
        }
        (SignedMin, SignedMax) = ((long)Min, (long)Max);
        Deduce();
    }

    /// <summary>Truncates to some bytes and sign-extends to 64 bits (<c>coerce_reg_to_size_sx</c>).</summary>
    public void SignExtend(int bytes)
    {
        var shift = 64 - (bytes * 8);
        if (shift == 0)
        {
            return;
        }
        Bits = Bits.SignExtend(bytes * 8);
        var (low, high) = (SignedMin << shift >> shift, SignedMax << shift >> shift);
        // When both ends agree above the kept bits, order is kept as long as the sign bit does not turn over between.
        if (SignedMin >> (64 - shift) == SignedMax >> (64 - shift) && low <= high)
        {
            (SignedMin, SignedMax) = (low, high);
        }
        else if (low == SignedMin && high == SignedMax)
        {
            // It fits already: nothing changes.
        }
        else if (bytes == 4)
        {
            (SignedMin, SignedMax) = (SignedMin32, SignedMax32);
        }
        else
        {
            (SignedMin, SignedMax) = (long.MinValue >> shift, long.MaxValue >> shift);
        }
        (Min, Max) = (0, ulong.MaxValue);
        if (bytes < 4)
        {
            Forget32();
        }
        Deduce();
    }

    private void LearnRangesFromBits()
    {
        const ulong Sign = 1ul << 63;
        Min = Math.Max(Min, Bits.Min);
        Max = Math.Min(Max, Bits.Max);
        SignedMin = Math.Max(SignedMin, (long)(Bits.Value | (Bits.Mask & Sign)));
        SignedMax = Math.Min(SignedMax, (long)(Bits.Value | (Bits.Mask & ~Sign)));

        const uint Sign32 = 1u << 31;
        var (value, mask) = ((uint)Bits.Value, (uint)Bits.Mask);
        Min32 = Math.Max(Min32, value);
        Max32 = Math.Min(Max32, value | mask);
        SignedMin32 = Math.Max(SignedMin32, (int)(value | (mask & Sign32)));
        SignedMax32 = Math.Min(SignedMax32, (int)(value | (mask & ~Sign32)));
    }

    private void LearnBitsFromRanges()
    {
        var range = Tnum.Range(Min, Max);
        var range32 = Tnum.Range(Min32, Max32);
        if (!Bits.Overlaps(range) || !Bits.Subregister.Overlaps(range32))
        {
            Contradict();
            return;
        }
        var wide = Bits.Intersect(range);
        var low = Bits.Subregister.Intersect(range32);
        if (!wide.Subregister.Overlaps(low))
        {
            Contradict();
            return;
        }
        Bits = wide.WithSubregister(wide.Subregister.Intersect(low));
    }

    private void Contradict() => (Min, Max) = (1, 0);

    private void LearnNarrowFromWide()
    {
        // One upper half for the whole range: the low half keeps its order.
        if (Min >> 32 == Max >> 32)
        {
            LearnNarrow((uint)Min, (uint)Max);
        }
        if (SignedMin >> 32 == SignedMax >> 32)
        {
            LearnNarrow((uint)SignedMin, (uint)SignedMax);
        }
        // Two neighbouring upper halves: the low half runs through 0, which as a signed range may still be one piece.
        if ((uint)(Min >> 32) + 1 == (uint)(Max >> 32) && (int)Min < 0 && (int)Max >= 0)
        {
            LearnSigned32((int)Min, (int)Max);
        }
        if ((uint)(SignedMin >> 32) + 1 == (uint)(SignedMax >> 32) && (int)SignedMin < 0 && (int)SignedMax >= 0)
        {
            LearnSigned32((int)SignedMin, (int)SignedMax);
        }
        if ((int)Min32 <= (int)Max32)
        {
            LearnSigned32((int)Min32, (int)Max32);
        }
        if ((uint)SignedMin32 <= (uint)SignedMax32)
        {
            LearnUnsigned32((uint)SignedMin32, (uint)SignedMax32);
        }
        else if (Max32 < (uint)SignedMin32)
        {
            // The signed range has a part below 0, which read as unsigned lies above Max32: what is left is from 0 up.
            LearnSigned32(0, int.MaxValue);
            LearnUnsigned32(0, (uint)SignedMax32);
        }
        else if ((uint)SignedMax32 < Min32)
        {
            LearnSigned32(int.MinValue, -1);
            LearnUnsigned32((uint)SignedMin32, uint.MaxValue);
        }
    }

    private void LearnNarrow(uint min, uint max)
    {
        if (min <= max)
        {
            LearnUnsigned32(min, max);
        }
        if ((int)min <= (int)max)
        {
            LearnSigned32((int)min, (int)max);
        }
    }

    private void LearnWideFromWide()
    {
        if ((long)Min <= (long)Max)
        {
            LearnSigned((long)Min, (long)Max);
        }
        if ((ulong)SignedMin <= (ulong)SignedMax)
        {
            LearnUnsigned((ulong)SignedMin, (ulong)SignedMax);
        }
        else if (Max < (ulong)SignedMin)
        {
            LearnSigned(0, long.MaxValue);
            LearnUnsigned(0, (ulong)SignedMax);
        }
        else if ((ulong)SignedMax < Min)
        {
            LearnSigned(long.MinValue, -1);
            LearnUnsigned((ulong)SignedMin, ulong.MaxValue);
        }
    }

    private void LearnWideFromNarrow()
    {
        const ulong Upper = 0xffffffff_00000000;
        // A number whose upper half is that of the minimum has a low half of at least Min32; and so for the maximum.
        LearnUnsigned((Min & Upper) | Min32, (Max & Upper) | Max32);
        LearnSigned((long)(((ulong)SignedMin & Upper) | Min32), (long)(((ulong)SignedMax & Upper) | Max32));
        if (SignedMin >= int.MinValue && SignedMax <= int.MaxValue)
        {
            // The number is the sign extension of its low half.
            LearnSigned(SignedMin32, SignedMax32);
        }
    }

    private void LearnUnsigned(ulong min, ulong max) => (Min, Max) = (Math.Max(Min, min), Math.Min(Max, max));

    private void LearnSigned(long min, long max) =>
        (SignedMin, SignedMax) = (Math.Max(SignedMin, min), Math.Min(SignedMax, max));

    private void LearnUnsigned32(uint min, uint max) => (Min32, Max32) = (Math.Max(Min32, min), Math.Min(Max32, max));

    private void LearnSigned32(int min, int max) =>
        (SignedMin32, SignedMax32) = (Math.Max(SignedMin32, min), Math.Min(SignedMax32, max));

    public readonly bool Equals(ScalarBounds other) =>
        Bits == other.Bits
        && Min == other.Min
        && Max == other.Max
        && SignedMin == other.SignedMin
        && SignedMax == other.SignedMax
        && Min32 == other.Min32
        && Max32 == other.Max32
        && SignedMin32 == other.SignedMin32
        && SignedMax32 == other.SignedMax32;

    public override readonly bool Equals(object? obj) => obj is ScalarBounds other && Equals(other);

    public override readonly int GetHashCode() => HashCode.Combine(Bits, Min, Max, SignedMin, SignedMax);

    /// <summary>As a programmer would write it: the number, or its range.</summary>
    public override readonly string ToString()
    {
        if (IsConstant)
        {
            return ((long)Bits.Value).ToString();
        }
        if (IsUnknown)
        {
            return "any number";
        }
        return Max <= long.MaxValue ? $"{Min} to {Max}" : $"{SignedMin} to {SignedMax}";
    }
}
