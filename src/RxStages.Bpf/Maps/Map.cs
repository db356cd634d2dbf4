using System.Collections.Immutable;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Maps;

/// <summary>
/// A live map: the control path's side of it, with the semantics and error codes of the <c>bpf()</c> system call's map
/// commands. Programs work on <see cref="Header"/> through <see cref="IMapOperations"/>.
/// </summary>
public abstract unsafe class Map : IDisposable
{
    /// <summary>What the map was made from.</summary>
    public abstract MapSpec Spec { get; }

    /// <summary>The native part; valid until the map is disposed.</summary>
    public abstract MapHeader* Header { get; }

    /// <summary>The type that implements <see cref="IMapOperations"/> for this map: the compiler calls its methods directly.</summary>
    public abstract Type Operations { get; }

    /// <summary>
    /// Bytes in a value as the system call sees it: <see cref="MapSpec.ValueSize"/>, or for per-CPU maps the rounded size
    /// times the number of CPUs.
    /// </summary>
    public abstract int SyscallValueSize { get; }

    /// <summary>How many CPUs it has room for (<see cref="MapOptions.CpuCount"/>): its operations take a worker's number as it is.</summary>
    public abstract int CpuCount { get; }

    /// <summary>How many CPUs all of some maps have room for; the greatest number there is where there is no map.</summary>
    internal static int CpuCountOf(ImmutableArray<Map> maps) =>
        maps.Select(map => map.CpuCount).DefaultIfEmpty(int.MaxValue).Min();

    /// <summary><c>BPF_MAP_LOOKUP_ELEM</c>: 0, or a negated error number.</summary>
    public abstract int Lookup(ReadOnlySpan<byte> key, Span<byte> value);

    /// <summary><c>BPF_MAP_UPDATE_ELEM</c>: 0, or a negated error number.</summary>
    public abstract int Update(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags);

    /// <summary><c>BPF_MAP_DELETE_ELEM</c>: 0, or a negated error number.</summary>
    public abstract int Delete(ReadOnlySpan<byte> key);

    /// <summary><c>BPF_MAP_GET_NEXT_KEY</c>: 0, or a negated error number; an empty <paramref name="key"/> asks for the first.</summary>
    public abstract int GetNextKey(ReadOnlySpan<byte> key, Span<byte> next);

    /// <summary>
    /// True when the <paramref name="size"/> bytes at <paramref name="address"/> lie in one value slot of this map (of any
    /// CPU): the interpreter asks it before every access to memory that is not packet, context or stack. Control path.
    /// Maps whose values programs cannot reach (prog arrays, device maps) have none.
    /// </summary>
    public virtual bool ContainsValue(byte* address, int size) => false;

    /// <summary>This map, or for a map of maps one that it holds, if it has that header; else null. Control path.</summary>
    internal virtual Map? WithHeader(nuint header) => (nuint)Header == header ? this : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the native memory.</summary>
    protected abstract void Dispose(bool disposing);
}
