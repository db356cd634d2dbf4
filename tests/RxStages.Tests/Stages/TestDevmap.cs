using System.Runtime.InteropServices;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Tests.Stages;

/// <summary>A devmap as the redirect stage sees it: an array of interface indices in which 0 stands for no entry.</summary>
internal sealed unsafe class TestDevmap : Map
{
    private readonly uint[] _entries;
    private MapHeader* _header = (MapHeader*)NativeMemory.AllocZeroed((nuint)sizeof(MapHeader));

    public TestDevmap(params uint[] entries)
    {
        _entries = entries;
        *_header = new MapHeader
        {
            Type = MapType.Devmap,
            KeySize = 4,
            ValueSize = 8,
            MaxEntries = (uint)entries.Length,
        };
    }

    public override MapSpec Spec => throw new NotSupportedException();

    public override MapHeader* Header => _header;

    public override Type Operations => throw new NotSupportedException();

    public override int SyscallValueSize => 8;

    /// <summary>How often entries were read.</summary>
    public int Lookups { get; private set; }

    public override int Lookup(ReadOnlySpan<byte> key, Span<byte> value)
    {
        Lookups++;
        var ifindex = _entries[MemoryMarshal.Read<uint>(key)];
        MemoryMarshal.Write(value, (ulong)ifindex);
        return ifindex == 0 ? -Errno.ENOENT : 0;
    }

    public override int GetNextKey(ReadOnlySpan<byte> key, Span<byte> next)
    {
        var index = key.IsEmpty ? 0 : MemoryMarshal.Read<uint>(key) + 1;
        MemoryMarshal.Write(next, index);
        return index < _entries.Length ? 0 : -Errno.ENOENT;
    }

    public override int Update(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags) => -Errno.EINVAL;

    public override int Delete(ReadOnlySpan<byte> key) => -Errno.EINVAL;

    protected override void Dispose(bool disposing)
    {
        NativeMemory.Free(_header);
        _header = null;
    }
}
