using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// A map of a type that only programs and sockets of other kinds fill: an object may define it, its definition is checked,
/// and it stays empty. XDP programs can at most look sockets up in it, and find none.
/// </summary>
public sealed unsafe class DeclaredMap : NativeMap
{
    private readonly MapHeader* _header;

    internal DeclaredMap(MapSpec spec, MapOptions options)
        : base(spec, options)
    {
        _header = Memory.Reserve<MapHeader>();
        Operations = Initialize<DeclaredOperations>(_header);
    }

    /// <inheritdoc/>
    public override MapHeader* Header => _header;

    /// <inheritdoc/>
    public override Type Operations { get; }

    internal override int Read(ReadOnlySpan<byte> key, Span<byte> value, ulong flags) => -Errno.ENOENT;

    internal override int Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags) => -Errno.EOPNOTSUPP;

    internal override int Remove(ReadOnlySpan<byte> key) => -Errno.ENOENT;

    internal override int Next(ReadOnlySpan<byte> key, Span<byte> next) => -Errno.ENOENT;
}

/// <summary>Hot path of maps that are always empty (net/core/sock_map.c, for the keys that are not there).</summary>
internal readonly unsafe struct DeclaredOperations : IMapOperations
{
    public static byte* LookupElement(MapHeader* map, BpfRuntime* runtime, byte* key) => null;

    public static long UpdateElement(MapHeader* map, BpfRuntime* runtime, byte* key, byte* value, ulong flags) =>
        -Errno.EOPNOTSUPP;

    public static long DeleteElement(MapHeader* map, BpfRuntime* runtime, byte* key) =>
        map->Type == MapType.Sockmap ? -Errno.EINVAL : -Errno.ENOENT;

    public static long Redirect(MapHeader* map, BpfRuntime* runtime, ulong key, ulong flags) => (long)XdpAction.Aborted;
}
