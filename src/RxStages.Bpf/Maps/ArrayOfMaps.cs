using System.Runtime.InteropServices;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>A live array of maps (kernel/bpf/arraymap.c: <c>array_of_maps_map_ops</c>).</summary>
public sealed unsafe class ArrayOfMaps : NativeMap, IMapOfMaps
{
    private readonly ArrayOfMapsHeader* _header;
    private readonly InnerMaps _inner;

    internal ArrayOfMaps(MapSpec spec, MapOptions options)
        : base(spec, options)
    {
        _inner = new InnerMaps(Template);
        _header = Memory.Reserve<ArrayOfMapsHeader>();
        _header->Maps = (nint*)Memory.Reserve((UInt128)spec.MaxEntries * (uint)sizeof(nint));
        Operations = Initialize<ArrayOfMapsOperations>(&_header->Map);
    }

    /// <inheritdoc/>
    public override MapHeader* Header => &_header->Map;

    /// <inheritdoc/>
    public override Type Operations { get; }

    /// <inheritdoc/>
    public MapSpec Template => Spec.Inner!;

    /// <inheritdoc/>
    public IEnumerable<NativeMap> InnerMaps => _inner.All;

    /// <inheritdoc/>
    public int SetMap(ReadOnlySpan<byte> key, NativeMap inner, ulong flags = UpdateFlags.Any, bool owns = false)
    {
        var index = MemoryMarshal.Read<uint>(key);
        var error =
            flags != UpdateFlags.Any ? -Errno.EINVAL
            : index >= Spec.MaxEntries ? -Errno.E2BIG
            : 0;
        error = error != 0 ? error : _inner.Add(inner, owns);
        if (error == 0)
        {
            Volatile.Write(ref _header->Maps[index], (nint)inner.Header);
        }
        return error;
    }

    /// <inheritdoc/>
    public NativeMap? GetMap(ReadOnlySpan<byte> key) =>
        _inner.Find(ArrayOfMapsOperations.Find(Header, MemoryMarshal.Read<uint>(key)));

    /// <inheritdoc/>
    public override bool ContainsValue(byte* address, int size) => _inner.ContainsValue(address, size);

    internal override Map? WithHeader(nuint header) => base.WithHeader(header) ?? _inner.Find((nint)header);

    internal override int Read(ReadOnlySpan<byte> key, Span<byte> value, ulong flags) =>
        Maps.InnerMaps.ReadId((MapHeader*)ArrayOfMapsOperations.Find(Header, MemoryMarshal.Read<uint>(key)), value);

    /// <summary>No number is the descriptor of a map here: <see cref="SetMap"/> takes the map itself.</summary>
    internal override int Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags) =>
        flags != UpdateFlags.Any ? -Errno.EINVAL
        : MemoryMarshal.Read<uint>(key) >= Spec.MaxEntries ? -Errno.E2BIG
        : -Errno.EBADF;

    internal override int Remove(ReadOnlySpan<byte> key) => DescriptorArray.Remove(_header->Maps, Spec.MaxEntries, key);

    internal override int Next(ReadOnlySpan<byte> key, Span<byte> next) => IndexKeys.Next(key, next, Spec.MaxEntries);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _inner.Dispose();
        }
        base.Dispose(disposing);
    }
}
