using System.Collections.Immutable;
using System.Runtime.InteropServices;
using RxStages.Bpf.Maps;

namespace RxStages.Stages;

/// <summary>
/// The interfaces in a devmap, for a broadcast to all of them: in the order in which the system call gives the keys. The
/// last answer is kept until <see cref="Forget"/>, so that a vector of broadcasts walks the map once.
/// </summary>
internal sealed unsafe class DevmapInterfaces : IDisposable
{
    private const int KeySize = sizeof(uint);

    private uint* _interfaces;
    private int _count;
    private int _capacity;
    private void* _of;

    /// <summary>Makes the next <see cref="Of"/> look at the map again.</summary>
    public void Forget() => _of = null;

    /// <summary>The interface indices in a map; none when the map is not among those of the program.</summary>
    /// <param name="header">The map: a <c>MapHeader*</c>.</param>
    /// <param name="maps">The maps of the program.</param>
    public ReadOnlySpan<uint> Of(void* header, ImmutableArray<Map> maps)
    {
        if (_of != header)
        {
            _count = 0;
            foreach (var map in maps)
            {
                if (map.Header == header)
                {
                    Read(map);
                }
            }
            _of = header;
        }
        return new ReadOnlySpan<uint>(_interfaces, _count);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.Free(_interfaces);
        _interfaces = null;
    }

    private void Read(Map map)
    {
        var entries = map.Header->MaxEntries;
        if (map.Header->KeySize != KeySize || map.SyscallValueSize is < sizeof(uint) or > 2 * sizeof(uint))
        {
            return;
        }
        Span<byte> key = stackalloc byte[KeySize];
        Span<byte> next = stackalloc byte[KeySize];
        Span<byte> value = stackalloc byte[map.SyscallValueSize];
        var found = map.GetNextKey([], next);
        // A hash that changes meanwhile may begin again: no more than it can hold are ever read.
        for (var i = 0u; found == 0 && i < entries; i++)
        {
            next.CopyTo(key);
            if (map.Lookup(key, value) == 0)
            {
                Add(MemoryMarshal.Read<uint>(value));
            }
            found = map.GetNextKey(key, next);
        }
    }

    private void Add(uint ifindex)
    {
        if (_count == _capacity)
        {
            _capacity = Math.Max(16, _capacity * 2);
            _interfaces = (uint*)NativeMemory.Realloc(_interfaces, (nuint)_capacity * sizeof(uint));
        }
        _interfaces[_count++] = ifindex;
    }
}
