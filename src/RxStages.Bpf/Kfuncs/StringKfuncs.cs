using System.Collections.Immutable;
using RxStages.Bpf.Helpers;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Kfuncs;

/// <summary>
/// Kfuncs on strings at any address, which are read as <c>bpf_probe_read_kernel_str</c> reads them. An <c>int</c> leaves the
/// upper half of r0 zero.
/// </summary>
internal static unsafe class StringKfuncs
{
    private const string OnlyOwnMemory =
        "Only a program's own memory is readable: its stack, its packet in the frame, values of its maps.";

    // XATTR_SIZE_MAX: no string is followed further.
    private const int MaxLength = 65536;

    internal static readonly ImmutableArray<KfuncDefinition> Definitions =
    [
        Define(
            "bpf_strcmp",
            [ArgumentType.Anything, ArgumentType.Anything],
            Compare,
            "Compares two strings: -1, 0 or 1."
        ),
        Define(
            "bpf_strcasecmp",
            [ArgumentType.Anything, ArgumentType.Anything],
            CompareIgnoringCase,
            "Compares two strings, capital letters as small ones: -1, 0 or 1."
        ),
        Define(
            "bpf_strnchr",
            [ArgumentType.Anything, ArgumentType.Scalar, ArgumentType.Scalar],
            FindWithin,
            "Where a letter is in a string, of which so many are looked at; ENOENT when it is not there."
        ),
        Define(
            "bpf_strchr",
            [ArgumentType.Anything, ArgumentType.Scalar],
            Find,
            "Where a letter is in a string; ENOENT when it is not there."
        ),
        Define(
            "bpf_strchrnul",
            [ArgumentType.Anything, ArgumentType.Scalar],
            FindOrEnd,
            "Where a letter is in a string, or the string's end."
        ),
        Define(
            "bpf_strrchr",
            [ArgumentType.Anything, ArgumentType.Scalar],
            FindLast,
            "Where a letter is last in a string; ENOENT when it is not there."
        ),
        Define(
            "bpf_strnlen",
            [ArgumentType.Anything, ArgumentType.Scalar],
            LengthWithin,
            "The length of a string, of which so many letters are looked at."
        ),
        Define("bpf_strlen", [ArgumentType.Anything], Length, "The length of a string."),
        Define(
            "bpf_strspn",
            [ArgumentType.Anything, ArgumentType.Anything],
            Span,
            "How many letters at a string's start are all in another."
        ),
        Define(
            "bpf_strcspn",
            [ArgumentType.Anything, ArgumentType.Anything],
            ComplementSpan,
            "How many letters at a string's start are none of another."
        ),
        Define(
            "bpf_strstr",
            [ArgumentType.Anything, ArgumentType.Anything],
            FindString,
            "Where a string is in another; ENOENT when it is not there."
        ),
        Define(
            "bpf_strnstr",
            [ArgumentType.Anything, ArgumentType.Anything, ArgumentType.Scalar],
            FindStringWithin,
            "Where a string is in another, of which so many letters are looked at; ENOENT when it is not there."
        ),
    ];

    private static KfuncDefinition Define(
        string name,
        ImmutableArray<Argument> arguments,
        HelperFunction implementation,
        string doc
    ) =>
        new(
            name,
            ReturnType.Integer,
            arguments,
            implementation,
            $"kernel/bpf/helpers.c: {name}",
            doc + " EFAULT or ERANGE where memory cannot be read, E2BIG beyond 65,536 letters."
        )
        {
            Difference = OnlyOwnMemory,
        };

    private static ulong Compare(BpfRuntime* runtime, ulong left, ulong right, ulong r3, ulong r4, ulong r5) =>
        Int(Compare(runtime, left, right, ignoreCase: false));

    private static ulong CompareIgnoringCase(
        BpfRuntime* runtime,
        ulong left,
        ulong right,
        ulong r3,
        ulong r4,
        ulong r5
    ) => Int(Compare(runtime, left, right, ignoreCase: true));

    private static int Compare(BpfRuntime* runtime, ulong left, ulong right, bool ignoreCase)
    {
        if (IsOutOfRange(runtime, left, out var a) || IsOutOfRange(runtime, right, out var b))
        {
            return -Errno.ERANGE;
        }
        for (var i = 0; i < MaxLength; i++)
        {
            if (i >= a.Length || i >= b.Length)
            {
                return -Errno.EFAULT;
            }
            var (x, y) = ignoreCase ? (ToLower(a[i]), ToLower(b[i])) : (a[i], b[i]);
            if (x != y)
            {
                return x < y ? -1 : 1;
            }
            if (x == 0)
            {
                return 0;
            }
        }
        return -Errno.E2BIG;
    }

    private static ulong FindWithin(BpfRuntime* runtime, ulong text, ulong count, ulong letter, ulong r4, ulong r5) =>
        Int(Find(runtime, text, count, (byte)letter));

    private static ulong Find(BpfRuntime* runtime, ulong text, ulong letter, ulong r3, ulong r4, ulong r5) =>
        Int(Find(runtime, text, MaxLength, (byte)letter));

    private static int Find(BpfRuntime* runtime, ulong text, ulong count, byte letter)
    {
        if (IsOutOfRange(runtime, text, out var letters))
        {
            return -Errno.ERANGE;
        }
        var i = 0;
        for (; (ulong)i < count && i < MaxLength; i++)
        {
            if (i >= letters.Length)
            {
                return -Errno.EFAULT;
            }
            if (letters[i] == letter)
            {
                return i;
            }
            if (letters[i] == 0)
            {
                return -Errno.ENOENT;
            }
        }
        return i == MaxLength ? -Errno.E2BIG : -Errno.ENOENT;
    }

    private static ulong FindOrEnd(BpfRuntime* runtime, ulong text, ulong letter, ulong r3, ulong r4, ulong r5)
    {
        var found = Find(runtime, text, MaxLength, (byte)letter);
        return found == -Errno.ENOENT ? Int(Length(runtime, text, MaxLength)) : Int(found);
    }

    private static ulong FindLast(BpfRuntime* runtime, ulong text, ulong letter, ulong r3, ulong r4, ulong r5)
    {
        if (IsOutOfRange(runtime, text, out var letters))
        {
            return Int(-Errno.ERANGE);
        }
        var last = -Errno.ENOENT;
        for (var i = 0; i < MaxLength; i++)
        {
            if (i >= letters.Length)
            {
                return Int(-Errno.EFAULT);
            }
            if (letters[i] == (byte)letter)
            {
                last = i;
            }
            if (letters[i] == 0)
            {
                return Int(last);
            }
        }
        return Int(-Errno.E2BIG);
    }

    private static ulong LengthWithin(BpfRuntime* runtime, ulong text, ulong count, ulong r3, ulong r4, ulong r5) =>
        Int(Length(runtime, text, count));

    private static ulong Length(BpfRuntime* runtime, ulong text, ulong r2, ulong r3, ulong r4, ulong r5) =>
        Int(Length(runtime, text, MaxLength));

    private static int Length(BpfRuntime* runtime, ulong text, ulong count)
    {
        if (IsOutOfRange(runtime, text, out var letters))
        {
            return -Errno.ERANGE;
        }
        var i = 0;
        for (; (ulong)i < count && i < MaxLength; i++)
        {
            if (i >= letters.Length)
            {
                return -Errno.EFAULT;
            }
            if (letters[i] == 0)
            {
                return i;
            }
        }
        return i == MaxLength ? -Errno.E2BIG : i;
    }

    private static ulong Span(BpfRuntime* runtime, ulong text, ulong accept, ulong r3, ulong r4, ulong r5) =>
        Int(Span(runtime, text, accept, isMember: true));

    private static ulong ComplementSpan(BpfRuntime* runtime, ulong text, ulong reject, ulong r3, ulong r4, ulong r5) =>
        Int(Span(runtime, text, reject, isMember: false));

    // How many letters come before the first of which it is not true that they are in the set, or are not.
    private static int Span(BpfRuntime* runtime, ulong text, ulong set, bool isMember)
    {
        if (IsOutOfRange(runtime, text, out var letters) || IsOutOfRange(runtime, set, out var members))
        {
            return -Errno.ERANGE;
        }
        for (var i = 0; i < MaxLength; i++)
        {
            if (i >= letters.Length)
            {
                return -Errno.EFAULT;
            }
            if (letters[i] == 0)
            {
                return i;
            }
            var j = 0;
            while (j < members.Length && j < MaxLength && members[j] != letters[i] && members[j] != 0)
            {
                j++;
            }
            if (j == MaxLength)
            {
                return -Errno.E2BIG;
            }
            if (j == members.Length)
            {
                return -Errno.EFAULT;
            }
            if (members[j] == letters[i] != isMember)
            {
                return i;
            }
        }
        return -Errno.E2BIG;
    }

    private static ulong FindString(BpfRuntime* runtime, ulong text, ulong sought, ulong r3, ulong r4, ulong r5) =>
        Int(FindString(runtime, text, sought, MaxLength));

    private static ulong FindStringWithin(
        BpfRuntime* runtime,
        ulong text,
        ulong sought,
        ulong count,
        ulong r4,
        ulong r5
    ) => Int(FindString(runtime, text, sought, count));

    private static int FindString(BpfRuntime* runtime, ulong text, ulong sought, ulong count)
    {
        if (IsOutOfRange(runtime, text, out var letters) || IsOutOfRange(runtime, sought, out var part))
        {
            return -Errno.ERANGE;
        }
        for (var i = 0; i < MaxLength; i++)
        {
            var j = 0;
            for (; (ulong)(i + j) <= count && j < MaxLength; j++)
            {
                if (j >= part.Length)
                {
                    return -Errno.EFAULT;
                }
                if (part[j] == 0)
                {
                    return i;
                }
                if ((ulong)(i + j) == count)
                {
                    break;
                }
                if (i + j >= letters.Length)
                {
                    return -Errno.EFAULT;
                }
                if (letters[i + j] == 0)
                {
                    return -Errno.ENOENT;
                }
                if (letters[i + j] != part[j])
                {
                    break;
                }
            }
            if (j == MaxLength)
            {
                return -Errno.E2BIG;
            }
            if ((ulong)(i + j) == count)
            {
                return -Errno.ENOENT;
            }
        }
        return -Errno.E2BIG;
    }

    // The kernel looks at the address itself before it tries to read; what is a program's own is its memory here.
    private static bool IsOutOfRange(BpfRuntime* runtime, ulong text, out ReadOnlySpan<byte> letters)
    {
        letters = ProbedMemory.At(runtime, text);
        return letters.IsEmpty && ProbedMemory.ErrorAt(text) == -Errno.ERANGE;
    }

    private static byte ToLower(byte letter) =>
        letter is (>= (byte)'A' and <= (byte)'Z') or (>= 0xc0 and <= 0xde and not 0xd7)
            ? (byte)(letter + 0x20)
            : letter;

    private static ulong Int(int value) => (uint)value;
}
