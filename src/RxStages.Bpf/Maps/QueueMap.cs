using System.Runtime.InteropServices;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>A live queue or stack (kernel/bpf/queue_stack_maps.c): values without keys.</summary>
public sealed unsafe class QueueMap : NativeMap
{
    private readonly QueueHeader* _header;

    internal QueueMap(MapSpec spec, MapOptions options)
        : base(spec, options)
    {
        _header = Memory.Reserve<QueueHeader>();
        _header->Values = Memory.Reserve((UInt128)spec.MaxEntries * spec.ValueSize);
        Operations = Initialize<QueueOperations>(&_header->Map);
    }

    /// <inheritdoc/>
    public override MapHeader* Header => &_header->Map;

    /// <inheritdoc/>
    public override Type Operations { get; }

    /// <summary>The values, the oldest first. Control path.</summary>
    public IEnumerable<byte[]> Values
    {
        get
        {
            var values = new List<byte[]>();
            WordLock.Enter(&_header->Lock);
            for (var i = 0u; i < _header->Count; i++)
            {
                values.Add(new ReadOnlySpan<byte>(QueueOperations.Value(_header, i), (int)Spec.ValueSize).ToArray());
            }
            WordLock.Exit(&_header->Lock);
            return values;
        }
    }

    // The system call's look-up peeks, its update pushes, and looking up and deleting pops.
    internal override int Read(ReadOnlySpan<byte> key, Span<byte> value, ulong flags) => Get(value, delete: false);

    internal override int Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags)
    {
        fixed (byte* bytes = value)
        {
            return (int)QueueOperations.Push(_header, bytes, flags);
        }
    }

    internal override int Remove(ReadOnlySpan<byte> key) => -Errno.EINVAL;

    internal override int Next(ReadOnlySpan<byte> key, Span<byte> next) => -Errno.EINVAL;

    internal override int Take(ReadOnlySpan<byte> key, Span<byte> value) => Get(value, delete: true);

    private int Get(Span<byte> value, bool delete)
    {
        fixed (byte* bytes = value)
        {
            return (int)QueueOperations.Get(_header, bytes, delete);
        }
    }
}
