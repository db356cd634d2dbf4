using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>Helpers that print.</summary>
internal static unsafe class TraceHelpers
{
    private const string HowPointersPrint =
        "Memory behind pointers is read only where it is a program's own, else strings are empty, as the kernel's on a fault. Pointers are printed as numbers, not hashed; symbols and BTF types are not resolved.";

    // MAX_BPRINTF_VARARGS
    private const int MaxValues = 12;

    internal static readonly ImmutableArray<HelperDefinition> Definitions =
    [
        new(
            6,
            "trace_printk",
            ReturnType.Integer,
            [ArgumentType.ReadableMemory, ArgumentType.Size],
            TracePrintk,
            "kernel/trace/bpf_trace.c: bpf_trace_printk; kernel/bpf/helpers.c: bpf_bprintf_prepare",
            "Prints a line with up to three values; the length of the text."
        )
        {
            ReadsAnyAddress = true,
            IsGplOnly = true,
            Difference = HowPointersPrint,
        },
        new(
            165,
            "snprintf",
            ReturnType.Integer,
            [
                ArgumentType.WritableMemoryOrNull,
                ArgumentType.SizeOrZero,
                ArgumentType.ConstFormat,
                ArgumentType.ReadableMemoryOrNull,
                ArgumentType.SizeOrZero,
            ],
            Snprintf,
            "kernel/bpf/helpers.c: bpf_snprintf",
            "Prints up to twelve values to memory, cut to its size and terminated; the length of the whole text with the zero."
        )
        {
            ReadsAnyAddress = true,
            IsGplOnly = true,
            Difference = HowPointersPrint,
        },
        new(
            177,
            "trace_vprintk",
            ReturnType.Integer,
            [
                ArgumentType.ReadableMemory,
                ArgumentType.Size,
                ArgumentType.ReadableMemoryOrNull,
                ArgumentType.SizeOrZero,
            ],
            TraceVprintk,
            "kernel/trace/bpf_trace.c: bpf_trace_vprintk",
            "Prints a line with up to twelve values; the length of the text."
        )
        {
            ReadsAnyAddress = true,
            IsGplOnly = true,
            Difference = HowPointersPrint,
        },
    ];

    private static ulong TracePrintk(BpfRuntime* runtime, ulong format, ulong size, ulong r3, ulong r4, ulong r5) =>
        (ulong)Print(runtime, new ReadOnlySpan<byte>((byte*)format, (int)(uint)size), [r3, r4, r5]);

    private static ulong TraceVprintk(
        BpfRuntime* runtime,
        ulong format,
        ulong size,
        ulong values,
        ulong valuesSize,
        ulong r5
    ) =>
        TryTakeValues(values, valuesSize, out var taken)
            ? (ulong)Print(runtime, new ReadOnlySpan<byte>((byte*)format, (int)(uint)size), taken)
            : Error(Errno.EINVAL);

    private static ulong Snprintf(
        BpfRuntime* runtime,
        ulong text,
        ulong size,
        ulong format,
        ulong values,
        ulong valuesSize
    )
    {
        if (!TryTakeValues(values, valuesSize, out var taken))
        {
            return Error(Errno.EINVAL);
        }
        var pattern = MemoryMarshal.CreateReadOnlySpanFromNullTerminated((byte*)format);
        // Once for the errors alone: what is wrong prints nothing.
        var error = TraceFormat.Print([], pattern, taken, runtime);
        if (error < 0)
        {
            return (ulong)error;
        }
        var target = new Span<byte>((byte*)text, (int)(uint)size);
        var length = TraceFormat.Print(target, pattern, taken, runtime);
        if (!target.IsEmpty)
        {
            target[Math.Min(length, target.Length - 1)] = 0;
        }
        return (ulong)length + 1;
    }

    private static int Print(BpfRuntime* runtime, ReadOnlySpan<byte> format, ReadOnlySpan<ulong> values)
    {
        var end = format.IndexOf((byte)0);
        if (end < 0)
        {
            return -Errno.EINVAL;
        }
        Span<byte> line = stackalloc byte[TraceFormat.MaxLine];
        var length = TraceFormat.Print(line, format[..end], values, runtime);
        if (length >= 0 && runtime->GetServices().TracePrint is { } print)
        {
            var written = line[..Math.Min(length, line.Length - 1)];
            print(Encoding.UTF8.GetString(written.EndsWith("\n"u8) ? written[..^1] : written));
        }
        return length;
    }

    // The values of the helpers that take them as memory.
    private static bool TryTakeValues(ulong values, ulong size, out ReadOnlySpan<ulong> taken)
    {
        var bytes = (uint)size;
        var isRight = bytes % sizeof(ulong) == 0 && bytes <= MaxValues * sizeof(ulong) && (bytes == 0 || values != 0);
        taken = isRight ? new ReadOnlySpan<ulong>((ulong*)values, (int)bytes / sizeof(ulong)) : [];
        return isRight;
    }

    private static ulong Error(int errno) => (ulong)-(long)errno;
}
