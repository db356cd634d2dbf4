using System.Runtime.InteropServices;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// A live program array (kernel/bpf/arraymap.c): the targets of tail calls. The system call's side has no file descriptors
/// of programs here: <see cref="SetProgram"/> takes the program itself, and a look-up gives the program's number in this
/// map, from 1, where the kernel gives its id.
/// </summary>
public sealed unsafe class ProgramArrayMap : NativeMap
{
    private readonly ProgramArrayHeader* _header;
    private readonly Lock _lock = new();

    // Handles live as long as the map: a worker may be reading one that is being replaced.
    private readonly Dictionary<XdpProgram, GCHandle<XdpProgram>> _handles = [];
    private readonly List<XdpProgram> _numbers = [];

    internal ProgramArrayMap(MapSpec spec, MapOptions options)
        : base(spec, options)
    {
        _header = Memory.Reserve<ProgramArrayHeader>();
        _header->Programs = (nint*)Memory.Reserve((UInt128)spec.MaxEntries * (uint)sizeof(nint));
        Operations = Initialize<ProgramArrayOperations>(&_header->Map);
    }

    /// <inheritdoc/>
    public override MapHeader* Header => &_header->Map;

    /// <inheritdoc/>
    public override Type Operations { get; }

    /// <summary>Sets the program at an index, or takes it away with null. The map does not own the program.</summary>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The index is not below the number of entries, or the program's maps have room for fewer CPUs than this one.
    /// </exception>
    public void SetProgram(uint index, XdpProgram? program)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Spec.MaxEntries);
        if (program is not null)
        {
            // Whoever may run a program with this map may then run that one.
            ArgumentOutOfRangeException.ThrowIfLessThan(program.CpuCount, CpuCount, nameof(program));
            program.PrepareTail();
        }
        lock (_lock)
        {
            nint handle = 0;
            if (program is not null)
            {
                if (!_handles.TryGetValue(program, out var known))
                {
                    known = new GCHandle<XdpProgram>(program);
                    _handles.Add(program, known);
                    _numbers.Add(program);
                }
                handle = GCHandle<XdpProgram>.ToIntPtr(known);
            }
            Volatile.Write(ref _header->Programs[index], handle);
        }
    }

    /// <summary>The program at an index, or null.</summary>
    public XdpProgram? GetProgram(uint index) => ProgramArrayOperations.Find(Header, index);

    internal override int Read(ReadOnlySpan<byte> key, Span<byte> value, ulong flags)
    {
        var program = GetProgram(MemoryMarshal.Read<uint>(key));
        if (program is null)
        {
            return -Errno.ENOENT;
        }
        lock (_lock)
        {
            MemoryMarshal.Write(value, _numbers.IndexOf(program) + 1);
        }
        return 0;
    }

    internal override int Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags) =>
        flags == UpdateFlags.Any && MemoryMarshal.Read<uint>(key) >= Spec.MaxEntries ? -Errno.E2BIG : -Errno.EINVAL;

    internal override int Remove(ReadOnlySpan<byte> key) =>
        DescriptorArray.Remove(_header->Programs, Spec.MaxEntries, key);

    internal override int Next(ReadOnlySpan<byte> key, Span<byte> next) => IndexKeys.Next(key, next, Spec.MaxEntries);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (var handle in _handles.Values)
            {
                handle.Dispose();
            }
            _handles.Clear();
        }
        base.Dispose(disposing);
    }
}
