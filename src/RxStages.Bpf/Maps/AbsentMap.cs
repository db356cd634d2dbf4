using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// Stands for a map of a type that is not supported, so that the other programs of its object can run. It holds nothing;
/// the verifier rejects every use of it.
/// </summary>
internal sealed unsafe class AbsentMap(MapSpec spec) : Map
{
    /// <inheritdoc/>
    public override MapSpec Spec { get; } = spec;

    /// <inheritdoc/>
    public override MapHeader* Header => null;

    /// <inheritdoc/>
    public override Type Operations =>
        throw new InvalidOperationException($"map {Spec.Name} of type {Spec.Type} is absent");

    /// <inheritdoc/>
    public override int SyscallValueSize => checked((int)Spec.ValueSize);

    /// <inheritdoc/>
    public override int CpuCount => int.MaxValue;

    /// <inheritdoc/>
    public override int Lookup(ReadOnlySpan<byte> key, Span<byte> value) => -Errno.EOPNOTSUPP;

    /// <inheritdoc/>
    public override int Update(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags) => -Errno.EOPNOTSUPP;

    /// <inheritdoc/>
    public override int Delete(ReadOnlySpan<byte> key) => -Errno.EOPNOTSUPP;

    /// <inheritdoc/>
    public override int GetNextKey(ReadOnlySpan<byte> key, Span<byte> next) => -Errno.EOPNOTSUPP;

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) { }
}
