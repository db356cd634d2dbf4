using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Linux.KernelBpf;

namespace RxStages.KernelOracle.Tests.Maps;

/// <summary>The map commands of the <c>bpf()</c> system call, on a map of either side: 0, or a negated error number.</summary>
internal interface IMapCommands
{
    MapSpec Spec { get; }

    int SyscallValueSize { get; }

    int Lookup(ReadOnlySpan<byte> key, Span<byte> value);

    int Update(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags);

    int Delete(ReadOnlySpan<byte> key);

    int GetNextKey(ReadOnlySpan<byte> key, Span<byte> next);
}

/// <summary>The kernel's side.</summary>
internal sealed class KernelMapCommands(KernelMap map) : IMapCommands
{
    public MapSpec Spec => map.Spec;

    public int SyscallValueSize => map.SyscallValueSize;

    public int Lookup(ReadOnlySpan<byte> key, Span<byte> value) => map.Lookup(key, value);

    public int Update(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags) => map.Update(key, value, flags);

    public int Delete(ReadOnlySpan<byte> key) => map.Delete(key);

    public int GetNextKey(ReadOnlySpan<byte> key, Span<byte> next) => map.GetNextKey(key, next);
}

/// <summary>Our side.</summary>
internal sealed class EngineMapCommands(Map map) : IMapCommands
{
    public MapSpec Spec => map.Spec;

    public int SyscallValueSize => map.SyscallValueSize;

    public int Lookup(ReadOnlySpan<byte> key, Span<byte> value) => map.Lookup(key, value);

    public int Update(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags) => map.Update(key, value, flags);

    public int Delete(ReadOnlySpan<byte> key) => map.Delete(key);

    public int GetNextKey(ReadOnlySpan<byte> key, Span<byte> next) => map.GetNextKey(key, next);
}
