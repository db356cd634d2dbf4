using System.Runtime.InteropServices;

namespace RxStages.Bpf.Runtime;

/// <summary>What memory a dynptr names (<c>enum bpf_dynptr_type</c>).</summary>
public enum DynptrType : uint
{
    /// <summary>None: the dynptr is null.</summary>
    Invalid = 0,

    /// <summary>Memory of the program's, a map value: <see cref="Dynptr.Data"/> is its address.</summary>
    Local = 1,

    /// <summary>A record of a ring buffer: <see cref="Dynptr.Data"/> is its address.</summary>
    Ringbuf = 2,

    /// <summary>The packet: <see cref="Dynptr.Data"/> is its <see cref="XdpBuff"/>.</summary>
    Xdp = 4,
}

/// <summary>
/// What is in a program's <c>struct bpf_dynptr</c>, 16 bytes on its stack: the kernel's <c>struct bpf_dynptr_kern</c>. Programs
/// never see inside.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct Dynptr
{
    private const uint SizeMask = MaxSize;
    private const uint ReadOnlyBit = 1u << 31;
    private const int TypeShift = 28;
    private const uint TypeMask = 7;

    /// <summary>What it names, by <see cref="Type"/>; null for a dynptr that names nothing.</summary>
    public void* Data;

    private uint _sizeAndType;

    /// <summary>How far into the memory it begins, in bytes.</summary>
    public uint Offset;

    /// <summary>How large a dynptr may be (<c>DYNPTR_MAX_SIZE</c>).</summary>
    public const uint MaxSize = (1 << 24) - 1;

    /// <summary>Makes one.</summary>
    public Dynptr(void* data, DynptrType type, uint offset, uint size, bool isReadOnly = false)
    {
        Data = data;
        Offset = offset;
        _sizeAndType = (size & SizeMask) | ((uint)type << TypeShift) | (isReadOnly ? ReadOnlyBit : 0);
    }

    /// <summary>What kind of memory it names.</summary>
    public readonly DynptrType Type => (DynptrType)((_sizeAndType >> TypeShift) & TypeMask);

    /// <summary>True when the memory may not be written through it.</summary>
    public readonly bool IsReadOnly => (_sizeAndType & ReadOnlyBit) != 0;

    /// <summary>How many bytes it has, at most <see cref="MaxSize"/>.</summary>
    public uint Size
    {
        readonly get => _sizeAndType & SizeMask;
        set => _sizeAndType = (_sizeAndType & ~SizeMask) | (value & SizeMask);
    }
}
