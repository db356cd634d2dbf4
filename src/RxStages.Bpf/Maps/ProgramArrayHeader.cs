using System.Runtime.InteropServices;

namespace RxStages.Bpf.Maps;

/// <summary>The native part of a program array.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct ProgramArrayHeader
{
    /// <summary>What all maps have.</summary>
    public MapHeader Map;

    /// <summary>Per index a <see cref="GCHandle{T}"/> to the program, or 0 where there is none.</summary>
    public nint* Programs;
}
