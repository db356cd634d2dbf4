using System.Runtime.InteropServices;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Maps;

/// <summary>The native memory of one map: zeroed, never moved, freed all at once.</summary>
internal sealed unsafe class MapMemory(MapSpec spec, MapOptions options) : IDisposable
{
    private const nuint CacheLine = 64;
    private const nuint HugePage = 2 << 20;

    private readonly List<nint> _blocks = [];

    /// <summary>How many bytes the map may still reserve.</summary>
    internal long Left { get; private set; } = options.MemoryLimit;

    /// <summary>
    /// Reserves zeroed memory on a cache line's boundary. The system hands out its pages as they are touched, so that what
    /// stays unused costs nothing.
    /// </summary>
    internal byte* Reserve(UInt128 size)
    {
        if (size > (UInt128)(ulong)Math.Max(Left, 0))
        {
            throw new InputException(
                $"map {spec.Name}",
                null,
                $"would take {size} bytes more than the {Left} left of its memory limit (max_entries {spec.MaxEntries}, key_size {spec.KeySize}, value_size {spec.ValueSize})"
            );
        }
        Left -= (long)size;
        var bytes = (nuint)size;
        var alignment = bytes >= HugePage ? HugePage : CacheLine;
        byte* block;
        try
        {
            block = (byte*)NativeMemory.AllocZeroed(bytes + alignment);
        }
        catch (OutOfMemoryException)
        {
            throw new InputException($"map {spec.Name}", null, $"the system has no {size} bytes of memory for it");
        }
        _blocks.Add((nint)block);
        var start = (byte*)(((nuint)block + alignment - 1) & ~(alignment - 1));
        if (alignment == HugePage)
        {
            options.Advice?.Invoke((nint)start, bytes);
        }
        return start;
    }

    /// <summary>Reserves a header.</summary>
    internal T* Reserve<T>()
        where T : unmanaged => (T*)Reserve((UInt128)sizeof(T));

    public void Dispose()
    {
        foreach (var block in _blocks)
        {
            NativeMemory.Free((void*)block);
        }
        _blocks.Clear();
    }
}
