namespace RxStages.Captures;

/// <summary>
/// What one tick of an interface's timestamps is (<c>if_tsresol</c>) and where they start (<c>if_tsoffset</c>).
/// </summary>
internal sealed record TimestampUnit
{
    private readonly ulong _multiplier;
    private readonly ulong _divisor;
    private readonly int _shift;
    private readonly Int128 _offset;

    /// <summary>True when a multiplication does it, as for all common units.</summary>
    private readonly bool _isProduct;

    private TimestampUnit(ulong multiplier, ulong divisor, int shift, long offsetSeconds)
    {
        _multiplier = multiplier;
        _divisor = divisor;
        _shift = shift;
        _offset = (Int128)offsetSeconds * NanosecondsPerSecond;
        _isProduct = divisor == 1 && shift == 0 && offsetSeconds == 0;
    }

    private const ulong NanosecondsPerSecond = 1_000_000_000;

    /// <summary>The value of <c>if_tsresol</c> that a file without the option means: microseconds.</summary>
    public const byte DefaultResolution = 6;

    /// <summary>The value of <c>if_tsresol</c> for nanoseconds.</summary>
    public const byte Nanoseconds = 9;

    /// <summary>The unit that an interface's options name.</summary>
    /// <param name="resolution">
    /// As in <c>if_tsresol</c>: a tick is 10 to the power of minus this many seconds or, when bit 7 is set, 2 to the power of
    /// minus the other bits.
    /// </param>
    /// <param name="offsetSeconds">Seconds to add to every timestamp.</param>
    public static TimestampUnit FromResolution(byte resolution, long offsetSeconds)
    {
        var exponent = resolution & 0x7f;
        if ((resolution & 0x80) != 0)
        {
            return new TimestampUnit(NanosecondsPerSecond, 1, exponent, offsetSeconds);
        }
        if (exponent <= Nanoseconds)
        {
            return new TimestampUnit(PowerOfTen(Nanoseconds - exponent), 1, 0, offsetSeconds);
        }
        // From 10^-29 seconds on, all the ticks that 64 bits hold are less than a nanosecond.
        var tooFine = exponent - Nanoseconds > 19;
        return new TimestampUnit(tooFine ? 0ul : 1, tooFine ? 1 : PowerOfTen(exponent - Nanoseconds), 0, offsetSeconds);
    }

    /// <summary>The timestamp in nanoseconds since 1970, rounded down; the nearest that fits when it is out of range.</summary>
    public ulong ToNanoseconds(ulong ticks)
    {
        if (_isProduct && Math.BigMul(ticks, _multiplier, out var product) == 0)
        {
            return product;
        }
        var nanoseconds = (Int128)(((UInt128)ticks * _multiplier / _divisor) >> _shift) + _offset;
        return nanoseconds < 0 ? 0
            : nanoseconds > ulong.MaxValue ? ulong.MaxValue
            : (ulong)nanoseconds;
    }

    private static ulong PowerOfTen(int exponent)
    {
        ulong power = 1;
        for (; exponent > 0; exponent--)
        {
            power *= 10;
        }
        return power;
    }
}
