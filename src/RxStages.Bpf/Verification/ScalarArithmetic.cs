using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Verification;

/// <summary>
/// ALU instructions on what is known of numbers, after the kernel's <c>adjust_scalar_min_max_vals</c>. Sound: the result
/// holds every number that the instruction gives on numbers that the operands hold.
/// </summary>
internal static class ScalarArithmetic
{
    /// <summary>
    /// <c>a = a operation b</c>, in 64 bits or in 32 with zero extension. Not for <see cref="AluOperation.Mov"/> and
    /// <see cref="AluOperation.End"/>, which have no second operand to compute with.
    /// </summary>
    public static void Apply(AluOperation operation, bool is32, ref ScalarBounds a, ScalarBounds b)
    {
        if (is32)
        {
            // Only the low halves take part: what is above must not look as if it did.
            a.ZeroExtend(4);
            b.ZeroExtend(4);
        }
        switch (operation)
        {
            case AluOperation.Add:
                Add(ref a, b);
                break;
            case AluOperation.Sub:
                Subtract(ref a, b);
                break;
            case AluOperation.Neg:
                b = a;
                a = ScalarBounds.Constant(0);
                Subtract(ref a, b);
                break;
            case AluOperation.Mul:
                Multiply(ref a, b);
                break;
            case AluOperation.And:
                And(ref a, b);
                break;
            case AluOperation.Or:
                Or(ref a, b);
                break;
            case AluOperation.Xor:
                Xor(ref a, b);
                break;
            case AluOperation.Lsh when ShiftCount(b, is32) is { } count:
                ShiftLeft(ref a, count);
                break;
            case AluOperation.Rsh when ShiftCount(b, is32) is { } count:
                ShiftRight(ref a, count);
                break;
            case AluOperation.Arsh when ShiftCount(b, is32) is { } count:
                ShiftRightArithmetic(ref a, count, is32);
                break;
            default:
                // Division and modulo, shifts by an unknown count.
                a = ScalarBounds.Unknown;
                break;
        }
        if (is32)
        {
            a.ZeroExtend(4);
        }
        a.DeduceResult();
    }

    /// <summary>Byte order: the low bytes reversed, or only truncated where the order is that of this machine (little endian).</summary>
    public static void ConvertEndian(ref ScalarBounds a, int bytes, bool reverse)
    {
        if (!reverse)
        {
            a.ZeroExtend(bytes);
            return;
        }
        var bits = a.Bits.ReverseBytes(bytes);
        a = ScalarBounds.Unknown;
        a.Bits = bits;
        a.DeduceResult();
    }

    private static int? ShiftCount(in ScalarBounds count, bool is32) =>
        count.IsConstant && count.Bits.Value < (is32 ? 32u : 64u) ? (int)count.Bits.Value : null;

    private static void Add(ref ScalarBounds a, in ScalarBounds b)
    {
        a.Bits += b.Bits;

        // Unsigned: sums keep their order when none of them wraps, and when all do.
        var (min, max) = (a.Min + b.Min, a.Max + b.Max);
        (a.Min, a.Max) = min < a.Min == max < a.Max ? (min, max) : (0, ulong.MaxValue);
        var (min32, max32) = (a.Min32 + b.Min32, a.Max32 + b.Max32);
        (a.Min32, a.Max32) = min32 < a.Min32 == max32 < a.Max32 ? (min32, max32) : (0, uint.MaxValue);

        var (low, high) = ((Int128)a.SignedMin + b.SignedMin, (Int128)a.SignedMax + b.SignedMax);
        SetSigned(ref a, low, high);
        SetSigned32(ref a, (long)a.SignedMin32 + b.SignedMin32, (long)a.SignedMax32 + b.SignedMax32);
    }

    private static void Subtract(ref ScalarBounds a, in ScalarBounds b)
    {
        a.Bits -= b.Bits;

        var (wrapsAtMin, wrapsAtMax) = (a.Min < b.Max, a.Max < b.Min);
        (a.Min, a.Max) = wrapsAtMin == wrapsAtMax ? (a.Min - b.Max, a.Max - b.Min) : (0, ulong.MaxValue);
        (wrapsAtMin, wrapsAtMax) = (a.Min32 < b.Max32, a.Max32 < b.Min32);
        (a.Min32, a.Max32) = wrapsAtMin == wrapsAtMax ? (a.Min32 - b.Max32, a.Max32 - b.Min32) : (0, uint.MaxValue);

        var (low, high) = ((Int128)a.SignedMin - b.SignedMax, (Int128)a.SignedMax - b.SignedMin);
        SetSigned(ref a, low, high);
        SetSigned32(ref a, (long)a.SignedMin32 - b.SignedMax32, (long)a.SignedMax32 - b.SignedMin32);
    }

    private static void Multiply(ref ScalarBounds a, in ScalarBounds b)
    {
        a.Bits *= b.Bits;

        var isExact = Math.BigMul(a.Max, b.Max, out var max) == 0;
        (a.Min, a.Max) = isExact ? (a.Min * b.Min, max) : (0, ulong.MaxValue);
        var max32 = (ulong)a.Max32 * b.Max32;
        (a.Min32, a.Max32) = max32 <= uint.MaxValue ? (a.Min32 * b.Min32, (uint)max32) : (0, uint.MaxValue);

        // Signed: the extremes are among the products of the ends.
        var (p, q) = ((Int128)a.SignedMin * b.SignedMin, (Int128)a.SignedMin * b.SignedMax);
        var (r, s) = ((Int128)a.SignedMax * b.SignedMin, (Int128)a.SignedMax * b.SignedMax);
        SetSigned(
            ref a,
            Int128.Min(Int128.Min(p, q), Int128.Min(r, s)),
            Int128.Max(Int128.Max(p, q), Int128.Max(r, s))
        );
        var (t, u) = ((long)a.SignedMin32 * b.SignedMin32, (long)a.SignedMin32 * b.SignedMax32);
        var (v, w) = ((long)a.SignedMax32 * b.SignedMin32, (long)a.SignedMax32 * b.SignedMax32);
        SetSigned32(ref a, Math.Min(Math.Min(t, u), Math.Min(v, w)), Math.Max(Math.Max(t, u), Math.Max(v, w)));
    }

    private static void And(ref ScalarBounds a, in ScalarBounds b)
    {
        a.Bits &= b.Bits;
        var (max, max32) = (Math.Min(a.Max, b.Max), Math.Min(a.Max32, b.Max32));
        ForgetRanges(ref a);
        (a.Max, a.Max32) = (max, max32);
    }

    private static void Or(ref ScalarBounds a, in ScalarBounds b)
    {
        a.Bits |= b.Bits;
        var (min, min32) = (Math.Max(a.Min, b.Min), Math.Max(a.Min32, b.Min32));
        ForgetRanges(ref a);
        (a.Min, a.Min32) = (min, min32);
    }

    private static void Xor(ref ScalarBounds a, in ScalarBounds b)
    {
        a.Bits ^= b.Bits;
        ForgetRanges(ref a);
    }

    private static void ShiftLeft(ref ScalarBounds a, int count)
    {
        a.Bits = a.Bits.ShiftLeft(count);

        // Where a 32-bit half is all that a count of 32 leaves, it is known even if what it pushes out is not.
        var (low, high) =
            count == 32
                ? ((Int128)a.SignedMin32 << 32, (Int128)a.SignedMax32 << 32)
                : ((Int128)a.SignedMin << count, (Int128)a.SignedMax << count);
        SetSigned(ref a, low, high);
        (a.Min, a.Max) = a.Max <= ulong.MaxValue >> count ? (a.Min << count, a.Max << count) : (0, ulong.MaxValue);

        if (count < 32)
        {
            SetSigned32(ref a, (long)a.SignedMin32 << count, (long)a.SignedMax32 << count);
            (a.Min32, a.Max32) =
                a.Max32 <= uint.MaxValue >> count ? (a.Min32 << count, a.Max32 << count) : (0, uint.MaxValue);
        }
        else
        {
            a.Forget32();
        }
    }

    private static void ShiftRight(ref ScalarBounds a, int count)
    {
        a.Bits = a.Bits.ShiftRight(count);
        var (min, max) = (a.Min >> count, a.Max >> count);
        ForgetRanges(ref a);
        (a.Min, a.Max) = (min, max);
    }

    private static void ShiftRightArithmetic(ref ScalarBounds a, int count, bool is32)
    {
        if (is32)
        {
            // The sign is bit 31: widen, shift, and let the caller truncate.
            a.SignExtend(4);
        }
        a.Bits = a.Bits.ShiftRightArithmetic(count);
        var (min, max) = (a.SignedMin >> count, a.SignedMax >> count);
        ForgetRanges(ref a);
        (a.SignedMin, a.SignedMax) = (min, max);
        a.Deduce();
    }

    private static void ForgetRanges(ref ScalarBounds a)
    {
        a.Forget64();
        a.Forget32();
    }

    private static void SetSigned(ref ScalarBounds a, Int128 min, Int128 max) =>
        (a.SignedMin, a.SignedMax) =
            min >= long.MinValue && max <= long.MaxValue ? ((long)min, (long)max) : (long.MinValue, long.MaxValue);

    private static void SetSigned32(ref ScalarBounds a, long min, long max) =>
        (a.SignedMin32, a.SignedMax32) =
            min >= int.MinValue && max <= int.MaxValue ? ((int)min, (int)max) : (int.MinValue, int.MaxValue);
}
