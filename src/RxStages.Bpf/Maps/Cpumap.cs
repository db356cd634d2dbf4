using System.Runtime.InteropServices;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// A live cpumap (kernel/bpf/cpumap.c): an entry's value is the length of the CPU's queue. Programs on entries are not
/// supported: a program's descriptor gives ENOMEM, as a wrong one does in the kernel.
/// </summary>
public sealed unsafe class Cpumap : RedirectArrayMap
{
    /// <summary>How many entries a cpumap has at the most: the kernel's <c>NR_CPUS</c> as distributions configure it.</summary>
    public const uint MaxCpus = 8192;

    // The greatest queue (cpu_map_update_elem).
    private const uint MaxQueue = 16384;

    internal Cpumap(MapSpec spec, MapOptions options)
        : base(spec, options) => Operations = Initialize<CpumapOperations>(Header);

    /// <inheritdoc/>
    public override Type Operations { get; }

    internal override int Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags)
    {
        var cpu = MemoryMarshal.Read<uint>(key);
        var queue = MemoryMarshal.Read<uint>(value);
        var error = IndexKeys.CheckUpdate(cpu, Spec.MaxEntries, flags);
        if (error != 0)
        {
            return error;
        }
        if (queue > MaxQueue)
        {
            return -Errno.EOVERFLOW;
        }
        if (cpu >= CpuCount)
        {
            return -Errno.ENODEV;
        }
        if (queue != 0 && Devmap.HasProgram(value))
        {
            return -Errno.ENOMEM;
        }
        Set(cpu, queue);
        return 0;
    }
}
