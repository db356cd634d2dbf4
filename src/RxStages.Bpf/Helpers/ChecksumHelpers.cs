using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>Internet checksums (RFC 1071).</summary>
internal static unsafe class ChecksumHelpers
{
    internal static readonly ImmutableArray<HelperDefinition> Definitions =
    [
        new(
            28,
            "csum_diff",
            ReturnType.Integer,
            [
                ArgumentType.ReadableMemoryOrNull,
                ArgumentType.SizeOrZero,
                ArgumentType.ReadableMemoryOrNull,
                ArgumentType.SizeOrZero,
                ArgumentType.Anything,
            ],
            CsumDiff,
            "net/core/filter.c: bpf_csum_diff",
            "The checksum difference, folded to 16 bits, of replacing the first memory by the second, added to a seed; EINVAL unless both sizes are multiples of 4."
        )
        {
            AllowsPacketAccess = true,
        },
    ];

    private static ulong CsumDiff(BpfRuntime* runtime, ulong from, ulong fromSize, ulong to, ulong toSize, ulong seed)
    {
        var oldSize = (uint)fromSize;
        var newSize = (uint)toSize;
        if (((oldSize | newSize) & 3) != 0)
        {
            return unchecked((ulong)-Errno.EINVAL);
        }
        var sum = (uint)seed;
        if (oldSize != 0 && newSize != 0)
        {
            sum = Add(Sum((uint*)to, newSize, sum), ~Sum((uint*)from, oldSize, 0));
        }
        else if (newSize != 0)
        {
            sum = Sum((uint*)to, newSize, sum);
        }
        else if (oldSize != 0)
        {
            sum = ~Sum((uint*)from, oldSize, ~sum);
        }
        return (sum + ((sum >> 16) | (sum << 16))) >> 16;
    }

    // Sums of words in one's complement. The result is 0 only when all of the input is, else zero is 0xffffffff: the same
    // representation as the kernel's csum_partial, whatever the order of the additions.
    private static uint Sum(uint* words, uint size, uint seed)
    {
        ulong sum = seed;
        for (var end = (uint*)((byte*)words + size); words < end; words++)
        {
            sum += Unsafe.ReadUnaligned<uint>(words);
        }
        sum = (sum & uint.MaxValue) + (sum >> 32);
        return (uint)(sum + (sum >> 32));
    }

    private static uint Add(uint left, uint right)
    {
        var sum = left + right;
        return sum + (sum < right ? 1u : 0u);
    }
}
