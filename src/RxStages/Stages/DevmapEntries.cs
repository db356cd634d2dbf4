using System.Runtime.InteropServices;
using RxStages.Bpf.Maps;

namespace RxStages.Stages;

/// <summary>
/// The entries of a devmap, for a broadcast to all of them. The last answer is kept until <see cref="Forget"/>, so that a
/// vector of broadcasts walks the map once.
/// </summary>
internal sealed unsafe class DevmapEntries : IDisposable
{
    private DevmapTarget* _targets;
    private int _count;
    private int _capacity;
    private void* _of;

    /// <summary>Makes the next <see cref="Of"/> look at the map again.</summary>
    public void Forget() => _of = null;

    /// <summary>The entries of a devmap or devmap hash.</summary>
    public ReadOnlySpan<DevmapTarget> Of(MapHeader* map)
    {
        if (_of != map)
        {
            Read(map);
            _of = map;
        }
        return new ReadOnlySpan<DevmapTarget>(_targets, _count);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.Free(_targets);
        _targets = null;
    }

    private void Read(MapHeader* map)
    {
        while ((_count = DevmapTargets.Copy(map, new Span<DevmapTarget>(_targets, _capacity))) > _capacity)
        {
            _capacity = _count;
            _targets = (DevmapTarget*)NativeMemory.Realloc(_targets, (nuint)_capacity * (nuint)sizeof(DevmapTarget));
        }
    }
}
