using System.Collections.Immutable;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>Clocks. The clocks themselves are those of <see cref="RuntimeServices"/>, so that a replay can fix the time.</summary>
internal static unsafe class TimeHelpers
{
    internal static readonly ImmutableArray<HelperDefinition> Definitions =
    [
        new(
            5,
            "ktime_get_ns",
            ReturnType.Integer,
            [],
            KtimeGetNs,
            "kernel/bpf/helpers.c: bpf_ktime_get_ns",
            "Nanoseconds of the monotonic clock, which stands still while the machine is suspended."
        ),
        new(
            118,
            "jiffies64",
            ReturnType.Integer,
            [],
            Jiffies64,
            "kernel/bpf/helpers.c: bpf_jiffies64",
            "The kernel's tick counter; here 250 ticks to the second, counted as if from boot."
        ),
        new(
            125,
            "ktime_get_boot_ns",
            ReturnType.Integer,
            [],
            KtimeGetBootNs,
            "kernel/bpf/helpers.c: bpf_ktime_get_boot_ns",
            "Nanoseconds since boot, time suspended included."
        ),
        new(
            160,
            "ktime_get_coarse_ns",
            ReturnType.Integer,
            [],
            KtimeGetCoarseNs,
            "kernel/bpf/helpers.c: bpf_ktime_get_coarse_ns",
            "The monotonic clock as of the last tick: cheaper and less exact."
        ),
        new(
            208,
            "ktime_get_tai_ns",
            ReturnType.Integer,
            [],
            KtimeGetTaiNs,
            "kernel/bpf/helpers.c: bpf_ktime_get_tai_ns",
            "Nanoseconds of International Atomic Time since 1970."
        ),
    ];

    /// <summary>True for a helper that reads a clock.</summary>
    internal static bool IsClock(int id) => Definitions.Any(helper => helper.Id == id);

    private static ulong KtimeGetNs(BpfRuntime* runtime, ulong r1, ulong r2, ulong r3, ulong r4, ulong r5) =>
        Clock(runtime).KtimeGetNs();

    private static ulong Jiffies64(BpfRuntime* runtime, ulong r1, ulong r2, ulong r3, ulong r4, ulong r5) =>
        Clock(runtime).Jiffies64();

    private static ulong KtimeGetBootNs(BpfRuntime* runtime, ulong r1, ulong r2, ulong r3, ulong r4, ulong r5) =>
        Clock(runtime).KtimeGetBootNs();

    private static ulong KtimeGetCoarseNs(BpfRuntime* runtime, ulong r1, ulong r2, ulong r3, ulong r4, ulong r5) =>
        Clock(runtime).KtimeGetCoarseNs();

    private static ulong KtimeGetTaiNs(BpfRuntime* runtime, ulong r1, ulong r2, ulong r3, ulong r4, ulong r5) =>
        Clock(runtime).KtimeGetTaiNs();

    private static RuntimeServices Clock(BpfRuntime* runtime)
    {
        var services = runtime->GetServices();
        if (runtime->Packet != null)
        {
            services.PacketTime(runtime->Packet->Timestamp);
        }
        return services;
    }
}
