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
            "The checksum difference, folded to 16 bits, of replacing the first memory by the second, added to a seed. Sizes need not be multiples of 4."
        )
        {
            AllowsPacketAccess = true,
        },
    ];

    private static ulong CsumDiff(BpfRuntime* runtime, ulong from, ulong fromSize, ulong to, ulong toSize, ulong seed)
    {
        var oldSize = (uint)fromSize;
        var newSize = (uint)toSize;
        var sum = (uint)seed;
        if (oldSize != 0 && newSize != 0)
        {
            sum = Add(Sum((byte*)to, newSize, sum), ~Sum((byte*)from, oldSize, 0));
        }
        else if (newSize != 0)
        {
            sum = Sum((byte*)to, newSize, sum);
        }
        else if (oldSize != 0)
        {
            sum = ~Sum((byte*)from, oldSize, ~sum);
        }
        return (sum + ((sum >> 16) | (sum << 16))) >> 16;
    }

    // Sums of words in one's complement. The result is 0 only when all of the input is, else zero is 0xffffffff: the same
    // representation as the kernel's csum_partial, whatever the order of the additions.
    private static uint Sum(byte* bytes, uint size, uint seed)
    {
        ulong sum = seed;
        for (; size >= sizeof(uint); size -= sizeof(uint), bytes += sizeof(uint))
        {
            sum += Unsafe.ReadUnaligned<uint>(bytes);
        }
        for (var i = 0; i < (int)size; i++)
        {
            sum += (uint)bytes[i] << (8 * i);
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
