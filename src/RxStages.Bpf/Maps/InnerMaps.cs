using System.Runtime.InteropServices;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>The maps that a map of maps ever held, by the addresses of their headers. Control path; any thread.</summary>
internal sealed unsafe class InnerMaps(MapSpec template) : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<nint, NativeMap> _byHeader = [];
    private readonly List<NativeMap> _owned = [];

    internal IEnumerable<NativeMap> All
    {
        get
        {
            lock (_lock)
            {
                return [.. _byHeader.Values];
            }
        }
    }

    /// <summary>Takes a map in, if it is like the template: 0, or a negated error number.</summary>
    internal int Add(NativeMap inner, bool owns)
    {
        if (!IsLike(template, inner.Spec))
        {
            return -Errno.EINVAL;
        }
        lock (_lock)
        {
            _byHeader.TryAdd((nint)inner.Header, inner);
            if (owns)
            {
                _owned.Add(inner);
            }
        }
        return 0;
    }

    /// <summary>The map of a header, or null.</summary>
    internal NativeMap? Find(nint header)
    {
        lock (_lock)
        {
            return _byHeader.GetValueOrDefault(header);
        }
    }

    /// <summary>True when all of the bytes are in a value of one of the maps.</summary>
    internal bool ContainsValue(byte* address, int size)
    {
        foreach (var map in All)
        {
            if (map.ContainsValue(address, size))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>What a look-up by system call gives for an entry: the map's number; ENOENT where none is.</summary>
    internal static int ReadId(MapHeader* inner, Span<byte> value)
    {
        if (inner is null)
        {
            return -Errno.ENOENT;
        }
        MemoryMarshal.Write(value, inner->Id);
        return 0;
    }

    public void Dispose()
    {
        foreach (var map in _owned)
        {
            map.Dispose();
        }
        _owned.Clear();
        _byHeader.Clear();
    }

    // bpf_map_meta_equal, array_map_meta_equal, xsk_map_meta_equal: what code may have compiled in must agree.
    private static bool IsLike(MapSpec template, MapSpec inner) =>
        template.Type == inner.Type
        && template.KeySize == inner.KeySize
        && template.ValueSize == inner.ValueSize
        && template.Flags == inner.Flags
        && template.SpecialFields.AsSpan().SequenceEqual(inner.SpecialFields.AsSpan())
        && (
            template.MaxEntries == inner.MaxEntries
            || !(template.Type is MapType.Array or MapType.Xskmap)
            || (template.Type == MapType.Array && template.Flags.HasFlag(MapFlags.InnerMap))
        );
}
