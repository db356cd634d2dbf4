using System.Runtime.InteropServices;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// A live devmap (kernel/bpf/devmap.c). In the kernel an entry names an interface that there is; here the interfaces are
/// the engine's ports, and any index but 0 is taken. Programs on entries are not supported: a program's descriptor
/// gives EINVAL, as a wrong one does in the kernel.
/// </summary>
public sealed unsafe class Devmap : RedirectArrayMap
{
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

    /// <summary>True when a value names a program: a file descriptor above 0 in its second half.</summary>
    internal static bool HasProgram(ReadOnlySpan<byte> value) =>
        value.Length == 2 * sizeof(uint) && MemoryMarshal.Read<int>(value[sizeof(uint)..]) > 0;
}
