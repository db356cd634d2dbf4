using System.Runtime.InteropServices;

namespace RxStages.Bpf.Maps;

/// <summary>The native part of arrays and per-CPU arrays.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct ArrayHeader
{
    /// <summary>What all maps have.</summary>
    public MapHeader Map;

    /// <summary>The first value (of CPU 0).</summary>
    public byte* Values;

    /// <summary>Bytes from one value to the next: the value's size rounded up to 8.</summary>
    public nuint Stride;

    /// <summary>Bytes from one CPU's values to the next CPU's; 0 where there is one set of values for all.</summary>
    public nuint CpuStride;
}
