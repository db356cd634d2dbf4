using System.Collections.Immutable;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>Helpers about text: numbers in it, comparing it.</summary>
internal static unsafe class StringHelpers
{
    // A number's text is copied here first: sign and white space apart, so many letters count (__bpf_strtoull).
    private const int MaxDigits = 63;

    // BPF_STRTOX_BASE_MASK: the base is all that the flags hold.
    private const ulong BaseMask = 0x1f;

    internal static readonly ImmutableArray<HelperDefinition> Definitions =
    [
        new(
            105,
            "strtol",
            ReturnType.Integer,
            [
                ArgumentType.ReadableMemory,
                ArgumentType.Size,
                ArgumentType.Anything,
                Argument.WritableBytes(sizeof(long)) with
                {
                    IsAligned = true,
                },
            ],
            StringToLong,
            "kernel/bpf/helpers.c: bpf_strtol",
            "Reads a number, in base 8, 10, 16 or what its prefix says (0), after white space; the letters read. EINVAL when there is none, ERANGE when it needs more than 64 bits."
        ),
        new(
            106,
            "strtoul",
            ReturnType.Integer,
            [
                ArgumentType.ReadableMemory,
                ArgumentType.Size,
                ArgumentType.Anything,
                Argument.WritableBytes(sizeof(ulong)) with
                {
                    IsAligned = true,
                },
            ],
            StringToUnsignedLong,
            "kernel/bpf/helpers.c: bpf_strtoul",
            "Reads a number without a sign; else as strtol."
        ),
        new(
            182,
            "strncmp",
            ReturnType.Integer,
            [ArgumentType.ReadableMemory, ArgumentType.Size, ArgumentType.ConstString],
            StringCompare,
            "kernel/bpf/helpers.c: bpf_strncmp",
            "Compares text of at most a size with a constant: -1, 0 or 1."
        ),
    ];

    private static ulong StringToLong(BpfRuntime* runtime, ulong text, ulong size, ulong flags, ulong result, ulong r5)
    {
        *(long*)result = 0;
        var count = Parse(new ReadOnlySpan<byte>((byte*)text, (int)(uint)size), flags, out var negative, out var value);
        if (count < 0)
        {
            return (ulong)count;
        }
        if (negative ? (long)(0 - value) > 0 : (long)value < 0)
        {
            return Error(Errno.ERANGE);
        }
        *(ulong*)result = negative ? 0 - value : value;
        return (ulong)count;
    }

    private static ulong StringToUnsignedLong(
        BpfRuntime* runtime,
        ulong text,
        ulong size,
        ulong flags,
        ulong result,
        ulong r5
    )
    {
        *(ulong*)result = 0;
        var count = Parse(new ReadOnlySpan<byte>((byte*)text, (int)(uint)size), flags, out var negative, out var value);
        if (count < 0 || negative)
        {
            return count < 0 ? (ulong)count : Error(Errno.EINVAL);
        }
        *(ulong*)result = value;
        return (ulong)count;
    }

    // How many letters the number takes with what is in front of it, or a negated error number.
    private static int Parse(ReadOnlySpan<byte> text, ulong flags, out bool negative, out ulong value)
    {
        (negative, value) = (false, 0);
        var numberBase = flags & BaseMask;
        if (numberBase is not (0 or 8 or 10 or 16) || flags != numberBase)
        {
            return -Errno.EINVAL;
        }
        var at = 0;
        while (at < text.Length && IsSpace(text[at]))
        {
            at++;
        }
        negative = at < text.Length && text[at] == '-';
        at += negative ? 1 : 0;
        var digits = text.Slice(at, Math.Min(text.Length - at, MaxDigits));
        var isHex = digits.Length > 1 && digits[0] == '0' && (digits[1] | 0x20) == 'x';
        if (numberBase == 0)
        {
            numberBase =
                digits.IsEmpty || digits[0] != '0' ? 10ul
                : isHex && digits.Length > 2 && char.IsAsciiHexDigit((char)digits[2]) ? 16ul
                : 8ul;
        }
        var prefix = isHex && numberBase == 16 ? 2 : 0;
        var count = 0;
        var overflows = false;
        foreach (var letter in digits[prefix..])
        {
            var digit = DigitOf(letter);
            if (digit >= numberBase)
            {
                break;
            }
            overflows |= value > (ulong.MaxValue - digit) / numberBase;
            value = (value * numberBase) + digit;
            count++;
        }
        return overflows ? -Errno.ERANGE
            : count == 0 ? -Errno.EINVAL
            : at + prefix + count;
    }

    private static ulong StringCompare(BpfRuntime* runtime, ulong text, ulong size, ulong constant, ulong r4, ulong r5)
    {
        for (var i = 0u; i < (uint)size; i++)
        {
            var (left, right) = (((byte*)text)[i], ((byte*)constant)[i]);
            if (left != right)
            {
                return left < right ? ulong.MaxValue : 1;
            }
            if (left == 0)
            {
                break;
            }
        }
        return 0;
    }

    // The kernel's tables are those of Latin 1, where 0xa0 is a space.
    private static bool IsSpace(byte letter) => letter is (byte)' ' or (>= 9 and <= 13) or 0xa0;

    private static ulong DigitOf(byte letter) =>
        letter switch
        {
            >= (byte)'0' and <= (byte)'9' => (ulong)(letter - '0'),
            >= (byte)'a' and <= (byte)'f' => (ulong)(letter - 'a' + 10),
            >= (byte)'A' and <= (byte)'F' => (ulong)(letter - 'A' + 10),
            _ => ulong.MaxValue,
        };

    private static ulong Error(int errno) => (ulong)-(long)errno;
}
