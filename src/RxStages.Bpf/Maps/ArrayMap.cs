using System.Runtime.InteropServices;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// A live array, per-CPU array or global data section: all entries are there from the start, zero, and stay
/// (kernel/bpf/arraymap.c).
/// </summary>
public sealed unsafe class ArrayMap : NativeMap
{
    private readonly ArrayHeader* _header;

    internal ArrayMap(MapSpec spec, MapOptions options)
        : base(spec, options)
    {
        _header = Memory.Reserve<ArrayHeader>();
        Operations = Initialize<ArrayOperations>(&_header->Map);
        var size = (UInt128)spec.MaxEntries * ValueStride;
        // CPUs keep to cache lines of their own.
        var cpuStride = (size + 63) & ~(UInt128)63;
        _header->Values = Memory.Reserve(IsPerCpu ? cpuStride * (uint)CpuCount : size);
        _header->Stride = ValueStride;
        _header->CpuStride = IsPerCpu ? (nuint)cpuStride : 0;
        spec.InitialValue.AsSpan().CopyTo(new Span<byte>(_header->Values, (int)spec.ValueSize));
    }

    /// <inheritdoc/>
    public override MapHeader* Header => &_header->Map;

    /// <inheritdoc/>
    public override Type Operations { get; }

    /// <summary>The first value (of CPU 0): with <see cref="Stride"/> and <see cref="CpuStride"/> all that a look-up needs.</summary>
    public byte* Values => _header->Values;

    /// <summary>Bytes from one value to the next.</summary>
    public nuint Stride => _header->Stride;

    /// <summary>Bytes from one CPU's values to the next CPU's; 0 for an array that is not per CPU.</summary>
    public nuint CpuStride => _header->CpuStride;

    /// <inheritdoc/>
    public override bool ContainsValue(byte* address, int size)
    {
        var offset = (nuint)address - (nuint)_header->Values;
        if (CpuStride != 0)
        {
            if (offset >= CpuStride * (nuint)CpuCount)
            {
                return false;
            }
            offset %= CpuStride;
        }
        return address >= _header->Values
            && offset < Stride * Spec.MaxEntries
            && size >= 0
            && offset % Stride + (nuint)size <= Spec.ValueSize;
    }

    internal override int Read(ReadOnlySpan<byte> key, Span<byte> value, ulong flags)
    {
        var slot = Slot(key);
        if (slot is null)
        {
            return -Errno.ENOENT;
        }
        PerCpuValues.Read(Header, slot, CpuStride, value, flags);
        return 0;
    }

    internal override int Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags)
    {
        var error = ArrayOperations.CheckUpdate(Header, MemoryMarshal.Read<uint>(key), flags);
        if (error == 0)
        {
            fixed (byte* bytes = value)
            {
                if (CpuStride != 0)
                {
                    PerCpuValues.Write(Header, Slot(key), CpuStride, bytes);
                }
                else
                {
                    ArrayOperations.Write(Header, Slot(key), bytes, flags);
                }
            }
        }
        return error;
    }

    internal override int Remove(ReadOnlySpan<byte> key) => -Errno.EINVAL;

    internal override int Next(ReadOnlySpan<byte> key, Span<byte> next) => IndexKeys.Next(key, next, Spec.MaxEntries);

    private byte* Slot(ReadOnlySpan<byte> key)
    {
        var index = MemoryMarshal.Read<uint>(key);
        return index < Spec.MaxEntries ? _header->Values + (index * Stride) : null;
    }
}
