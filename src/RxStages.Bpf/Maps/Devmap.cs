using System.Runtime.InteropServices;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// A live devmap (kernel/bpf/devmap.c). In the kernel an entry names an interface that there is; here the interfaces are
/// the engine's ports, and any index but 0 is taken. No number is the descriptor of a program: updates with one give
/// EINVAL, as with a wrong one in the kernel, and <see cref="SetEntry"/> takes the program itself.
/// </summary>
public sealed unsafe class Devmap : RedirectArrayMap, IEntryPrograms
{
    private readonly EntryPrograms _programs = new();

    internal Devmap(MapSpec spec, MapOptions options)
        : base(spec, options) => Operations = Initialize<DevmapOperations>(Header);

    /// <inheritdoc/>
    public override Type Operations { get; }

    /// <inheritdoc/>
    public override bool ContainsValue(byte* address, int size) => ContainsTarget(address, size);

    internal override int Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags)
    {
        var index = MemoryMarshal.Read<uint>(key);
        // All indices count as there.
        var error = IndexKeys.CheckUpdate(index, Spec.MaxEntries, flags);
        if (error != 0)
        {
            return error;
        }
        if (HasProgram(value))
        {
            return -Errno.EINVAL;
        }
        Set(index, MemoryMarshal.Read<uint>(value));
        return 0;
    }

    /// <inheritdoc/>
    public int SetEntry(uint key, uint target, XdpProgram? program)
    {
        if (key >= Spec.MaxEntries)
        {
            return -Errno.E2BIG;
        }
        if (program is not null && (target == 0 || !HasRoomFor(program, this)))
        {
            return -Errno.EINVAL;
        }
        Set(key, target | ((ulong)_programs.NumberOf(program) << 32));
        return 0;
    }

    /// <inheritdoc/>
    public XdpProgram? GetProgram(uint key) => _programs.Find((uint)(RedirectMaps.Target(Header, key) >> 32));

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _programs.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Whether a map's values have room for a program.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The program's maps have room for fewer CPUs than the map.</exception>
    internal static bool HasRoomFor(XdpProgram program, NativeMap map)
    {
        // Whoever may run a program with this map may then run that one.
        ArgumentOutOfRangeException.ThrowIfLessThan(program.CpuCount, map.CpuCount, nameof(program));
        return map.Spec.ValueSize == 2 * sizeof(uint);
    }

    /// <summary>True when a value names a program: a file descriptor above 0 in its second half.</summary>
    internal static bool HasProgram(ReadOnlySpan<byte> value) =>
        value.Length == 2 * sizeof(uint) && MemoryMarshal.Read<int>(value[sizeof(uint)..]) > 0;
}
