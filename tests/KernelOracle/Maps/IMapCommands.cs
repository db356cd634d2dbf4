using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Linux.KernelBpf;

namespace RxStages.KernelOracle.Tests.Maps;

/// <summary>The map commands of the <c>bpf()</c> system call, on a map of either side: 0, or a negated error number.</summary>
internal interface IMapCommands
{
    MapSpec Spec { get; }

    int SyscallValueSize { get; }

    int Lookup(ReadOnlySpan<byte> key, Span<byte> value, ulong flags);

    int LookupAndDelete(ReadOnlySpan<byte> key, Span<byte> value, ulong flags);

    /// <summary>Puts one of some maps into a map of maps.</summary>
    int SetMap(ReadOnlySpan<byte> key, int inner, ulong flags);

    int Update(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags);

    int Delete(ReadOnlySpan<byte> key);

    int GetNextKey(ReadOnlySpan<byte> key, Span<byte> next);
}

/// <summary>The kernel's side.</summary>
internal sealed class KernelMapCommands(KernelMap map, params IReadOnlyList<KernelMap> inner) : IMapCommands
{
    public MapSpec Spec => map.Spec;

    public int SyscallValueSize => map.SyscallValueSize;

    public int Lookup(ReadOnlySpan<byte> key, Span<byte> value, ulong flags) => map.Lookup(key, value, flags);

    public int LookupAndDelete(ReadOnlySpan<byte> key, Span<byte> value, ulong flags) =>
        map.LookupAndDelete(key, value, flags);

    public int SetMap(ReadOnlySpan<byte> key, int index, ulong flags) => map.SetMap(key, inner[index], flags);

    public int Update(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags) => map.Update(key, value, flags);

    public int Delete(ReadOnlySpan<byte> key) => map.Delete(key);

    public int GetNextKey(ReadOnlySpan<byte> key, Span<byte> next) => map.GetNextKey(key, next);
}

/// <summary>Our side.</summary>
internal sealed class EngineMapCommands(NativeMap map, params IReadOnlyList<NativeMap> inner) : IMapCommands
{
    public MapSpec Spec => map.Spec;

    public int SyscallValueSize => map.SyscallValueSize;

    public int Lookup(ReadOnlySpan<byte> key, Span<byte> value, ulong flags) => map.Lookup(key, value, flags);

    public int LookupAndDelete(ReadOnlySpan<byte> key, Span<byte> value, ulong flags) =>
        map.LookupAndDelete(key, value, flags);

    public int SetMap(ReadOnlySpan<byte> key, int index, ulong flags) =>
        ((IMapOfMaps)map).SetMap(key, inner[index], flags);

    public int Update(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags) => map.Update(key, value, flags);

    public int Delete(ReadOnlySpan<byte> key) => map.Delete(key);

    public int GetNextKey(ReadOnlySpan<byte> key, Span<byte> next) => map.GetNextKey(key, next);
}
