using System.Runtime.InteropServices;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// A live xskmap (net/xdp/xskmap.c). In the kernel an entry is the descriptor of an AF_XDP socket; here it is any number,
/// which the engine knows as its socket's, and programs as its queue. As in the kernel only programs can look entries up.
/// </summary>
public sealed unsafe class Xskmap : RedirectArrayMap
{
    internal Xskmap(MapSpec spec, MapOptions options)
        : base(spec, options) => Operations = Initialize<XskmapOperations>(Header);

    /// <inheritdoc/>
    public override Type Operations { get; }

    /// <inheritdoc/>
    public override bool ContainsValue(byte* address, int size) => ContainsTarget(address, size);

    internal override int Read(ReadOnlySpan<byte> key, Span<byte> value, ulong flags) => -Errno.EOPNOTSUPP;

    internal override int Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags)
    {
        var index = MemoryMarshal.Read<uint>(key);
        if (flags > UpdateFlags.Exist)
        {
            return -Errno.EINVAL;
        }
        if (index >= Spec.MaxEntries)
        {
            return -Errno.E2BIG;
        }
        var target = MemoryMarshal.Read<uint>(value) | (1ul << 32);
        var old = RedirectMaps.Target(Header, index);
        var error = old == target ? 0 : UpdateFlags.Check(flags, old != 0);
        if (error == 0)
        {
            Set(index, target);
        }
        return error;
    }
}
