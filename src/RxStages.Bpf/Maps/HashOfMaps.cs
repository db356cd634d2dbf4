using System.Runtime.InteropServices;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>A live hash of maps (kernel/bpf/hashtab.c: <c>htab_of_maps_map_ops</c>).</summary>
public sealed unsafe class HashOfMaps : HashMapBase, IMapOfMaps
{
    private readonly InnerMaps _inner;

    internal HashOfMaps(MapSpec spec, MapOptions options)
        : base(spec, options)
    {
        _inner = new InnerMaps(Template);
        var isChunked = spec.Flags.HasFlag(MapFlags.NoPrealloc);
        // The one extra element: only the control path updates.
        Reserve(FlatStore.KeyOffset, extra: 1, isChunked);
        Table->Extra = (uint*)Memory.Reserve(sizeof(uint));
        *Table->Extra = 1;
        Operations = isChunked ? BindStore<ChunkedStore>() : BindStore<FlatStore>();
        // A value is a descriptor to system calls, but the map's address in the element.
        Header->ValueSize = (uint)sizeof(nint);
    }

    /// <inheritdoc/>
    public override Type Operations { get; }

    /// <inheritdoc/>
    public MapSpec Template => Spec.Inner!;

    /// <inheritdoc/>
    public IEnumerable<NativeMap> InnerMaps => _inner.All;

    private protected override int ControlCpu => 0;

    /// <inheritdoc/>
    public int SetMap(ReadOnlySpan<byte> key, NativeMap inner, ulong flags = UpdateFlags.Any, bool owns = false)
    {
        var error = _inner.Add(inner, owns);
        var header = (nint)inner.Header;
        return error != 0 ? error : base.Write(key, MemoryMarshal.AsBytes(new ReadOnlySpan<nint>(in header)), flags);
    }

    /// <inheritdoc/>
    public NativeMap? GetMap(ReadOnlySpan<byte> key) => _inner.Find(Find(key));

    /// <inheritdoc/>
    public override bool ContainsValue(byte* address, int size) => _inner.ContainsValue(address, size);

    internal override Map? WithHeader(nuint header) => base.WithHeader(header) ?? _inner.Find((nint)header);

    internal override int Read(ReadOnlySpan<byte> key, Span<byte> value, ulong flags) =>
        Maps.InnerMaps.ReadId((MapHeader*)Find(key), value);

    /// <summary>No number is the descriptor of a map here: <see cref="SetMap"/> takes the map itself.</summary>
    internal override int Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags) => -Errno.EBADF;

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _inner.Dispose();
        }
        base.Dispose(disposing);
    }

    private nint Find(ReadOnlySpan<byte> key)
    {
        fixed (byte* keyBytes = key)
        {
            return (nint)Header->LookupElement(Header, null, keyBytes);
        }
    }

    private protected override Type Bind<TKey, TStore>()
    {
        Table->Find = &HashTable<TKey, TStore>.FindIndex;
        Table->Update = &HashOperations<TKey, TStore>.Update;
        Table->Delete = &HashOperations<TKey, TStore>.DeleteElement;
        return Initialize<HashOfMapsOperations<TKey, TStore>>(Header);
    }
}
