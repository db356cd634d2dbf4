using System.Runtime.InteropServices;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>What live devmaps, cpumaps and xskmaps have in common: entries by index, each a target or empty.</summary>
public abstract unsafe class RedirectArrayMap : NativeMap
{
    private readonly RedirectMapHeader* _header;

    private protected RedirectArrayMap(MapSpec spec, MapOptions options)
        : base(spec, options)
    {
        _header = Memory.Reserve<RedirectMapHeader>();
        _header->Targets = (ulong*)Memory.Reserve((UInt128)spec.MaxEntries * sizeof(ulong));
    }

    /// <inheritdoc/>
    public sealed override MapHeader* Header => &_header->Map;

    internal override int Read(ReadOnlySpan<byte> key, Span<byte> value, ulong flags)
    {
        var target = RedirectMaps.Target(Header, MemoryMarshal.Read<uint>(key));
        if (target == 0)
        {
            return -Errno.ENOENT;
        }
        new ReadOnlySpan<byte>(&target, (int)Spec.ValueSize).CopyTo(value);
        return 0;
    }

    internal sealed override int Remove(ReadOnlySpan<byte> key)
    {
        var index = MemoryMarshal.Read<uint>(key);
        if (index >= Spec.MaxEntries)
        {
            return -Errno.EINVAL;
        }
        Set(index, 0);
        return 0;
    }

    internal sealed override int Next(ReadOnlySpan<byte> key, Span<byte> next) =>
        IndexKeys.Next(key, next, Spec.MaxEntries);

    /// <summary>True when so many bytes lie in one entry: for maps whose entries programs may look at.</summary>
    private protected bool ContainsTarget(byte* address, int size)
    {
        var offset = (nuint)address - (nuint)_header->Targets;
        return address >= (byte*)_header->Targets
            && size >= 0
            && offset / sizeof(ulong) < Spec.MaxEntries
            && (offset % sizeof(ulong)) + (nuint)size <= Spec.ValueSize;
    }

    /// <summary>Sets the entry at an index that is in range.</summary>
    private protected void Set(uint index, ulong target) => Volatile.Write(ref _header->Targets[index], target);
}
