using System.Buffers.Binary;

namespace RxStages.Bpf.Network;

/// <summary>
/// SYN cookies (RFC 4987 section 3.6) as the kernel makes them (<c>net/ipv4/syncookies.c</c>, <c>net/ipv6/syncookies.c</c>): a
/// sequence number that holds a counter of minutes, which of four segment sizes the peer announced, and two keyed hashes
/// of the connection, so that the answer to it proves that the peer got it. The keys are secret: those of an environment
/// are its own, so that a kernel does not accept its cookies.
/// </summary>
internal sealed class SynCookies
{
    /// <summary>Ticks of the kernel's clock, of 250 a second, in which the counter stays the same (<c>TCP_SYNCOOKIE_PERIOD</c>).</summary>
    private const ulong Period = 60 * 250;

    /// <summary>How many periods a cookie is good for (<c>MAX_SYNCOOKIE_AGE</c>).</summary>
    private const uint MaxAge = 2;

    /// <summary>How long after its last cookie a listener looks at the answers (<c>TCP_SYNCOOKIE_VALID</c>), in ticks.</summary>
    public const ulong Validity = MaxAge * Period;

    // The hash and the segment size are in the lower bits of a cookie, the counter above them (COOKIEBITS).
    private const int Bits = 24;
    private const uint Mask = (1u << Bits) - 1;

    private static readonly ushort[] s_ipv4Sizes = [536, 1300, 1440, 1460];
    private static readonly ushort[] s_ipv6Sizes = [1280 - 60, 1480 - 60, 1500 - 60, 9000 - 60];

    private readonly SipHashKey _connectionKey;
    private readonly SipHashKey _counterKey;

    /// <summary>Draws the keys.</summary>
    /// <param name="seed">What they follow from; null for random ones.</param>
    public SynCookies(ulong? seed)
    {
        _connectionKey = SipHashKey.From(seed, 1);
        _counterKey = SipHashKey.From(seed, 2);
    }

    /// <summary>Makes the cookie for a SYN (<c>__cookie_v4_init_sequence</c>, <c>__cookie_v6_init_sequence</c>).</summary>
    /// <param name="source">Where the SYN is from.</param>
    /// <param name="destination">Where it goes.</param>
    /// <param name="sequence">Its sequence number.</param>
    /// <param name="segmentSize">The segment size that the peer announced; gets the one that the cookie holds.</param>
    /// <param name="jiffies">The time.</param>
    public uint Make(Endpoint source, Endpoint destination, uint sequence, ref ushort segmentSize, ulong jiffies)
    {
        var sizes = source.Address.IsIpv6 ? s_ipv6Sizes : s_ipv4Sizes;
        var index = sizes.Length - 1;
        while (index > 0 && segmentSize < sizes[index])
        {
            index--;
        }
        segmentSize = sizes[index];
        var counter = (uint)(jiffies / Period);
        return Hash(_connectionKey, source, destination, 0)
            + sequence
            + (counter << Bits)
            + ((Hash(_counterKey, source, destination, counter) + (uint)index) & Mask);
    }

    /// <summary>Checks the cookie in the answer to a SYN and ACK (<c>__cookie_v4_check</c>, <c>__cookie_v6_check</c>).</summary>
    /// <param name="source">Where the answer is from.</param>
    /// <param name="destination">Where it goes.</param>
    /// <param name="cookie">The cookie: one less than what the answer acknowledges.</param>
    /// <param name="sequence">The SYN's sequence number: one less than the answer's.</param>
    /// <param name="jiffies">The time.</param>
    /// <returns>The segment size that the cookie holds; 0 when it is not one of ours, or too old.</returns>
    public ushort Check(Endpoint source, Endpoint destination, uint cookie, uint sequence, ulong jiffies)
    {
        var counter = (uint)(jiffies / Period);
        cookie -= Hash(_connectionKey, source, destination, 0) + sequence;
        var age = (counter - (cookie >> Bits)) & (uint.MaxValue >> Bits);
        if (age >= MaxAge)
        {
            return 0;
        }
        var index = (cookie - Hash(_counterKey, source, destination, counter - age)) & Mask;
        var sizes = source.Address.IsIpv6 ? s_ipv6Sizes : s_ipv4Sizes;
        return index < sizes.Length ? sizes[index] : (ushort)0;
    }

    /// <summary>The segment size that a TCP header's options announce (<c>tcp_parse_mss_option</c>); 0 for none.</summary>
    /// <param name="options">The options.</param>
    public static ushort SegmentSizeOf(ReadOnlySpan<byte> options)
    {
        const byte End = 0;
        const byte NoOperation = 1;
        const byte SegmentSize = 2;
        ushort result = 0;
        while (!options.IsEmpty && options[0] != End)
        {
            if (options[0] == NoOperation)
            {
                options = options[1..];
                continue;
            }
            if (options.Length < 2 || options[1] < 2 || options[1] > options.Length)
            {
                break;
            }
            var length = options[1];
            if (options[0] == SegmentSize && length == 4)
            {
                var announced = BinaryPrimitives.ReadUInt16BigEndian(options[2..]);
                result = announced != 0 ? announced : result;
            }
            options = options[length..];
        }
        return result;
    }

    private static uint Hash(in SipHashKey key, Endpoint source, Endpoint destination, uint counter)
    {
        var ports = ((ulong)source.Port << 16) | destination.Port;
        Span<ulong> words =
        [
            (ulong)(source.Address.Bits >> 64),
            (ulong)source.Address.Bits,
            (ulong)(destination.Address.Bits >> 64),
            (ulong)destination.Address.Bits,
            (ports << 32) | counter,
        ];
        return (uint)SipHash.Compute(key, words);
    }
}
