using System.Runtime.InteropServices;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// A live cpumap (kernel/bpf/cpumap.c): an entry's value is the length of the CPU's queue. No number is
/// the descriptor of a program: updates with one give ENOMEM, as with a wrong one in the kernel, and <see cref="SetEntry"/>
/// takes the program itself.
/// </summary>
public sealed unsafe class Cpumap : RedirectArrayMap, IEntryPrograms
{
    private readonly EntryPrograms _programs = new();

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
        var error = Check(cpu, queue, flags);
        if (error == 0 && queue != 0 && Devmap.HasProgram(value))
        {
            error = -Errno.ENOMEM;
        }
        if (error == 0)
        {
            Set(cpu, queue);
        }
        return error;
    }

    /// <inheritdoc/>
    public int SetEntry(uint key, uint target, XdpProgram? program)
    {
        var error = Check(key, target, UpdateFlags.Any);
        if (error == 0 && program is not null && !Devmap.HasRoomFor(program, this))
        {
            error = -Errno.EINVAL;
        }
        if (error == 0)
        {
            // A queue of no length takes the entry away.
            Set(key, target == 0 ? 0 : target | ((ulong)_programs.NumberOf(program) << 32));
        }
        return error;
    }

    /// <inheritdoc/>
    public XdpProgram? GetProgram(uint key) => _programs.Find((uint)(RedirectMaps.Target(Header, key) >> 32));

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _programs.Dispose();
        base.Dispose(disposing);
    }

    private int Check(uint cpu, uint queue, ulong flags)
    {
        var error = IndexKeys.CheckUpdate(cpu, Spec.MaxEntries, flags);
        return error != 0 ? error
            : queue > MaxQueue ? -Errno.EOVERFLOW
            : cpu >= CpuCount ? -Errno.ENODEV
            : 0;
    }
}
