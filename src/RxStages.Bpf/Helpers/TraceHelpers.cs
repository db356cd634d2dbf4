using System.Collections.Immutable;
using System.Text;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>Helpers that print.</summary>
internal static unsafe class TraceHelpers
{
    internal static readonly ImmutableArray<HelperDefinition> Definitions =
    [
        new(
            6,
            "trace_printk",
            ReturnType.Integer,
            [ArgumentType.ReadableMemory, ArgumentType.Size],
            TracePrintk,
            "kernel/trace/bpf_trace.c: bpf_trace_printk; kernel/bpf/helpers.c: bpf_bprintf_prepare",
            "Prints a line with up to three values. Memory behind pointers is read only where it is known to be readable (values of maps); else strings are empty, as the kernel's on a fault. Pointers are printed as numbers, not hashed."
        )
        {
            IsGplOnly = true,
        },
    ];

    private static ulong TracePrintk(BpfRuntime* runtime, ulong format, ulong size, ulong r3, ulong r4, ulong r5)
    {
        var services = runtime->GetServices();
        Span<byte> line = stackalloc byte[TraceFormat.MaxLine];
        var text = new ReadOnlySpan<byte>((byte*)format, (int)(uint)size);
        var length = TraceFormat.Print(line, text, [r3, r4, r5], services.ReadableBytes);
        if (length >= 0 && services.TracePrint is { } print)
        {
            var written = line[..Math.Min(length, line.Length - 1)];
            print(Encoding.UTF8.GetString(written.EndsWith("\n"u8) ? written[..^1] : written));
        }
        return (ulong)(long)length;
    }
}
