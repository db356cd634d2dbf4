using System.Diagnostics;

namespace RxStages.Bpf.Runtime;

/// <summary>What helpers ask of their surroundings, apart from packet and maps. Control path: only slow helpers come here.</summary>
public class RuntimeServices
{
    // The kernel's CONFIG_HZ is 250 where distributions do not choose otherwise.
    private const ulong NanosecondsPerTick = 4_000_000;

    // jiffies start five minutes before a 32-bit counter wraps (INITIAL_JIFFIES).
    private const ulong InitialJiffies = uint.MaxValue - (300 * 250) + 1;

    /// <summary>The services of a worker that was given none: real clocks, no trace output.</summary>
    public static RuntimeServices Default { get; } = new();

    /// <summary>Takes a line of <c>bpf_trace_printk</c>, without the line break; null throws the lines away.</summary>
    public Action<string>? TracePrint { get; set; }

    /// <summary>
    /// How many bytes may be read from an address on, 0 for none: values of maps, where helpers may follow a program's
    /// pointer to (<c>bpf_probe_read_kernel</c>, <c>%s</c>). In place of the kernel's reads that survive a fault; null:
    /// nothing beside the program's stack and packets is readable.
    /// </summary>
    public Func<nint, int>? ReadableBytes { get; set; }

    /// <summary>
    /// The network that helpers ask about: a <c>NetworkEnvironment</c> of the room above this one; null is a host that has
    /// only a loopback interface. Workers of one host share it.
    /// </summary>
    public object? Network { get; set; }

    /// <summary>
    /// The kernel's types by which programs were verified: a <c>Btf</c> of the room above this one; null are those of the
    /// running kernel.
    /// </summary>
    public object? KernelTypes { get; set; }

    /// <summary>The clock of <c>bpf_ktime_get_ns</c>: monotonic, in nanoseconds.</summary>
    public virtual ulong KtimeGetNs()
    {
        var (seconds, rest) = Math.DivRem(Stopwatch.GetTimestamp(), Stopwatch.Frequency);
        return ((ulong)seconds * 1_000_000_000) + ((ulong)rest * 1_000_000_000 / (ulong)Stopwatch.Frequency);
    }

    /// <summary>The clock of <c>bpf_ktime_get_boot_ns</c>; here the monotonic one, which does not count time suspended.</summary>
    public virtual ulong KtimeGetBootNs() => KtimeGetNs();

    /// <summary>The clock of <c>bpf_ktime_get_coarse_ns</c>: the monotonic one at the last tick of 250 a second.</summary>
    public virtual ulong KtimeGetCoarseNs() => KtimeGetNs() / NanosecondsPerTick * NanosecondsPerTick;

    /// <summary>The clock of <c>bpf_ktime_get_tai_ns</c>: nanoseconds since 1970; like the kernel's until it is told the offset to UTC.</summary>
    public virtual ulong KtimeGetTaiNs() => (ulong)(DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100;

    /// <summary>The tick counter of <c>bpf_jiffies64</c>.</summary>
    public virtual ulong Jiffies64() => InitialJiffies + (KtimeGetNs() / NanosecondsPerTick);

    /// <summary>
    /// A program that works on a packet is about to read a clock. Clocks that are told the time by packets take it from here,
    /// so that it does not depend on how many packets a vector has.
    /// </summary>
    /// <param name="timestamp">When the packet was received, in nanoseconds since 1970; 0 if not known.</param>
    public virtual void PacketTime(ulong timestamp) { }
}
