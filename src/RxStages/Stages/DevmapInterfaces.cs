using System.Runtime.InteropServices;
using RxStages.Bpf.Maps;

namespace RxStages.Stages;

/// <summary>
/// The interfaces in a devmap, for a broadcast to all of them. The last answer is kept until <see cref="Forget"/>, so that a
/// vector of broadcasts walks the map once.
/// </summary>
internal sealed unsafe class DevmapInterfaces : IDisposable
{
    private uint* _interfaces;
    private int _count;
    private int _capacity;
    private void* _of;

    /// <summary>Makes the next <see cref="Of"/> look at the map again.</summary>
    public void Forget() => _of = null;

    /// <summary>The interface indices in a devmap or devmap hash.</summary>
    public ReadOnlySpan<uint> Of(MapHeader* map)
    {
        if (_of != map)
        {
            Read(map);
            _of = map;
        }
        return new ReadOnlySpan<uint>(_interfaces, _count);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.Free(_interfaces);
        _interfaces = null;
    }

    private void Read(MapHeader* map)
    {
        while ((_count = DevmapTargets.Copy(map, new Span<uint>(_interfaces, _capacity))) > _capacity)
        {
            _capacity = _count;
            _interfaces = (uint*)NativeMemory.Realloc(_interfaces, (nuint)_capacity * sizeof(uint));
        }
    }
}
