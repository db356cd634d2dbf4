using System.Numerics;
using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Verification;

/// <summary>
/// Conditional jumps on what is known of numbers: which way they go (the kernel's <c>is_scalar_branch_taken</c>) and what
/// is learnt on either way (<c>regs_refine_cond_op</c>).
/// </summary>
internal static class ScalarComparison
{
    /// <summary>True when the condition holds for all numbers, false when for none, null where it may do either.</summary>
    public static bool? Decide(JumpOperation operation, bool is32, in ScalarBounds a, in ScalarBounds b)
    {
        switch (operation)
        {
            case JumpOperation.Jeq:
                return AreEqual(is32, a, b);
            case JumpOperation.Jne:
                return !AreEqual(is32, a, b);
            case JumpOperation.Jset:
                return HaveCommonBits(is32, a, b);
            case JumpOperation.Jgt:
                return IsGreater(is32, a, b);
            case JumpOperation.Jle:
                return !IsGreater(is32, a, b);
            case JumpOperation.Jlt:
                return IsGreater(is32, b, a);
            case JumpOperation.Jge:
                return !IsGreater(is32, b, a);
            case JumpOperation.Jsgt:
                return IsSignedGreater(is32, a, b);
            case JumpOperation.Jsle:
                return !IsSignedGreater(is32, a, b);
            case JumpOperation.Jslt:
                return IsSignedGreater(is32, b, a);
            case JumpOperation.Jsge:
                return !IsSignedGreater(is32, b, a);
            default:
                return null;
        }
    }

    /// <summary>
    /// Narrows both to the pairs for which the condition holds (or does not). Where there is no such pair, the way is never
    /// gone: the result is false and both stay as they were.
    /// </summary>
    public static bool TryAssume(JumpOperation operation, bool holds, bool is32, ref ScalarBounds a, ref ScalarBounds b)
    {
        var (newA, newB) = (a, b);
        if (
            !TryNarrow(operation, holds, is32, ref newA, ref newB)
            || IsContradictoryWhenDeduced(ref newA)
            || IsContradictoryWhenDeduced(ref newB)
        )
        {
            return false;
        }
        (a, b) = (newA, newB);
        return true;
    }

    /// <summary>The operation that says the same with its operands swapped.</summary>
    public static JumpOperation Swap(JumpOperation operation) =>
        operation switch
        {
            JumpOperation.Jgt => JumpOperation.Jlt,
            JumpOperation.Jge => JumpOperation.Jle,
            JumpOperation.Jlt => JumpOperation.Jgt,
            JumpOperation.Jle => JumpOperation.Jge,
            JumpOperation.Jsgt => JumpOperation.Jslt,
            JumpOperation.Jsge => JumpOperation.Jsle,
            JumpOperation.Jslt => JumpOperation.Jsgt,
            JumpOperation.Jsle => JumpOperation.Jsge,
            _ => operation,
        };

    private static bool IsContradictoryWhenDeduced(ref ScalarBounds bounds)
    {
        bounds.Deduce();
        return bounds.IsContradictory;
    }

    private static bool? AreEqual(bool is32, in ScalarBounds a, in ScalarBounds b)
    {
        var (bitsA, bitsB) = is32 ? (a.Bits.Subregister, b.Bits.Subregister) : (a.Bits, b.Bits);
        if (bitsA.IsConstant && bitsB.IsConstant)
        {
            return bitsA.Value == bitsB.Value;
        }
        if (!bitsA.Overlaps(bitsB) || a.Min32 > b.Max32 || a.Max32 < b.Min32)
        {
            return false;
        }
        if (a.SignedMin32 > b.SignedMax32 || a.SignedMax32 < b.SignedMin32)
        {
            return false;
        }
        var isDisjoint64 = a.Min > b.Max || a.Max < b.Min || a.SignedMin > b.SignedMax || a.SignedMax < b.SignedMin;
        return !is32 && isDisjoint64 ? false : null;
    }

    private static bool? HaveCommonBits(bool is32, in ScalarBounds a, in ScalarBounds b)
    {
        var both = is32 ? a.Bits.Subregister & b.Bits.Subregister : a.Bits & b.Bits;
        if (both.Value != 0)
        {
            return true;
        }
        return both.Mask == 0 ? false : null;
    }

    private static bool? IsGreater(bool is32, in ScalarBounds a, in ScalarBounds b) =>
        is32 ? Order(a.Min32 > b.Max32, a.Max32 <= b.Min32) : Order(a.Min > b.Max, a.Max <= b.Min);

    private static bool? IsSignedGreater(bool is32, in ScalarBounds a, in ScalarBounds b) =>
        is32
            ? Order(a.SignedMin32 > b.SignedMax32, a.SignedMax32 <= b.SignedMin32)
            : Order(a.SignedMin > b.SignedMax, a.SignedMax <= b.SignedMin);

    private static bool? Order(bool always, bool never) =>
        always ? true
        : never ? false
        : null;

    private static bool TryNarrow(
        JumpOperation operation,
        bool holds,
        bool is32,
        ref ScalarBounds a,
        ref ScalarBounds b
    )
    {
        switch (operation)
        {
            case JumpOperation.Jeq:
                return holds ? TryMakeEqual(is32, ref a, ref b) : TryMakeDifferent(is32, ref a, ref b);
            case JumpOperation.Jne:
                return holds ? TryMakeDifferent(is32, ref a, ref b) : TryMakeEqual(is32, ref a, ref b);
            case JumpOperation.Jset:
                NarrowCommonBits(holds, is32, ref a, b);
                NarrowCommonBits(holds, is32, ref b, a);
                return true;
            case JumpOperation.Jgt:
                return holds ? TryMakeLess(is32, ref b, ref a) : MakeLessOrEqual(is32, ref a, ref b);
            case JumpOperation.Jge:
                return holds ? MakeLessOrEqual(is32, ref b, ref a) : TryMakeLess(is32, ref a, ref b);
            case JumpOperation.Jlt:
                return holds ? TryMakeLess(is32, ref a, ref b) : MakeLessOrEqual(is32, ref b, ref a);
            case JumpOperation.Jle:
                return holds ? MakeLessOrEqual(is32, ref a, ref b) : TryMakeLess(is32, ref b, ref a);
            case JumpOperation.Jsgt:
                return holds ? TryMakeSignedLess(is32, ref b, ref a) : MakeSignedLessOrEqual(is32, ref a, ref b);
            case JumpOperation.Jsge:
                return holds ? MakeSignedLessOrEqual(is32, ref b, ref a) : TryMakeSignedLess(is32, ref a, ref b);
            case JumpOperation.Jslt:
                return holds ? TryMakeSignedLess(is32, ref a, ref b) : MakeSignedLessOrEqual(is32, ref b, ref a);
            case JumpOperation.Jsle:
                return holds ? MakeSignedLessOrEqual(is32, ref a, ref b) : TryMakeSignedLess(is32, ref b, ref a);
            default:
                return true;
        }
    }

    private static bool TryMakeEqual(bool is32, ref ScalarBounds a, ref ScalarBounds b)
    {
        var (lowA, lowB) = (a.Bits.Subregister, b.Bits.Subregister);
        if (!lowA.Overlaps(lowB) || (!is32 && !a.Bits.Overlaps(b.Bits)))
        {
            return false;
        }
        a.Min32 = b.Min32 = Math.Max(a.Min32, b.Min32);
        a.Max32 = b.Max32 = Math.Min(a.Max32, b.Max32);
        a.SignedMin32 = b.SignedMin32 = Math.Max(a.SignedMin32, b.SignedMin32);
        a.SignedMax32 = b.SignedMax32 = Math.Min(a.SignedMax32, b.SignedMax32);
        if (is32)
        {
            var low = lowA.Intersect(lowB);
            a.Bits = a.Bits.WithSubregister(low);
            b.Bits = b.Bits.WithSubregister(low);
            return true;
        }
        a.Min = b.Min = Math.Max(a.Min, b.Min);
        a.Max = b.Max = Math.Min(a.Max, b.Max);
        a.SignedMin = b.SignedMin = Math.Max(a.SignedMin, b.SignedMin);
        a.SignedMax = b.SignedMax = Math.Min(a.SignedMax, b.SignedMax);
        a.Bits = b.Bits = a.Bits.Intersect(b.Bits);
        return true;
    }

    private static bool TryMakeDifferent(bool is32, ref ScalarBounds a, ref ScalarBounds b) =>
        (!(is32 ? b.IsConstant32 : b.IsConstant) || TryExclude(is32, ref a, b.Bits.Value))
        && (!(is32 ? a.IsConstant32 : a.IsConstant) || TryExclude(is32, ref b, a.Bits.Value));

    /// <summary>Takes one number away, which narrows a range only at its ends.</summary>
    private static bool TryExclude(bool is32, ref ScalarBounds a, ulong number)
    {
        if (is32 ? a.IsConstant32 && (uint)a.Bits.Value == (uint)number : a.IsConstant && a.Bits.Value == number)
        {
            return false;
        }
        if (is32)
        {
            a.Min32 += a.Min32 == (uint)number ? 1u : 0;
            a.Max32 -= a.Max32 == (uint)number ? 1u : 0;
            a.SignedMin32 += a.SignedMin32 == (int)number ? 1 : 0;
            a.SignedMax32 -= a.SignedMax32 == (int)number ? 1 : 0;
        }
        else
        {
            a.Min += a.Min == number ? 1u : 0;
            a.Max -= a.Max == number ? 1u : 0;
            a.SignedMin += a.SignedMin == (long)number ? 1 : 0;
            a.SignedMax -= a.SignedMax == (long)number ? 1 : 0;
        }
        return true;
    }

    private static void NarrowCommonBits(bool holds, bool is32, ref ScalarBounds a, in ScalarBounds b)
    {
        if (!(is32 ? b.IsConstant32 : b.IsConstant))
        {
            return;
        }
        var mask = is32 ? (uint)b.Bits.Value : b.Bits.Value;
        if (!holds)
        {
            a.Bits &= Tnum.Constant(~mask);
        }
        else if (BitOperations.IsPow2(mask))
        {
            a.Bits |= Tnum.Constant(mask);
        }
    }

    private static bool MakeLessOrEqual(bool is32, ref ScalarBounds a, ref ScalarBounds b)
    {
        if (is32)
        {
            a.Max32 = Math.Min(a.Max32, b.Max32);
            b.Min32 = Math.Max(a.Min32, b.Min32);
        }
        else
        {
            a.Max = Math.Min(a.Max, b.Max);
            b.Min = Math.Max(a.Min, b.Min);
        }
        return true;
    }

    private static bool TryMakeLess(bool is32, ref ScalarBounds a, ref ScalarBounds b)
    {
        if (is32)
        {
            if (b.Max32 == 0 || a.Min32 == uint.MaxValue)
            {
                return false;
            }
            a.Max32 = Math.Min(a.Max32, b.Max32 - 1);
            b.Min32 = Math.Max(a.Min32 + 1, b.Min32);
        }
        else
        {
            if (b.Max == 0 || a.Min == ulong.MaxValue)
            {
                return false;
            }
            a.Max = Math.Min(a.Max, b.Max - 1);
            b.Min = Math.Max(a.Min + 1, b.Min);
        }
        return true;
    }

    private static bool MakeSignedLessOrEqual(bool is32, ref ScalarBounds a, ref ScalarBounds b)
    {
        if (is32)
        {
            a.SignedMax32 = Math.Min(a.SignedMax32, b.SignedMax32);
            b.SignedMin32 = Math.Max(a.SignedMin32, b.SignedMin32);
        }
        else
        {
            a.SignedMax = Math.Min(a.SignedMax, b.SignedMax);
            b.SignedMin = Math.Max(a.SignedMin, b.SignedMin);
        }
        return true;
    }

    private static bool TryMakeSignedLess(bool is32, ref ScalarBounds a, ref ScalarBounds b)
    {
        if (is32)
        {
            if (b.SignedMax32 == int.MinValue || a.SignedMin32 == int.MaxValue)
            {
                return false;
            }
            a.SignedMax32 = Math.Min(a.SignedMax32, b.SignedMax32 - 1);
            b.SignedMin32 = Math.Max(a.SignedMin32 + 1, b.SignedMin32);
        }
        else
        {
            if (b.SignedMax == long.MinValue || a.SignedMin == long.MaxValue)
            {
                return false;
            }
            a.SignedMax = Math.Min(a.SignedMax, b.SignedMax - 1);
            b.SignedMin = Math.Max(a.SignedMin + 1, b.SignedMin);
        }
        return true;
    }
}
