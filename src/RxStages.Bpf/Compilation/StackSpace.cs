using System.Runtime.InteropServices;

namespace RxStages.Bpf.Compilation;

/// <summary>
/// Local variables that hold a program's stack. As a struct of the method, not as memory of <c>localloc</c>, RyuJIT
/// addresses it by the machine's stack pointer and keeps slots in registers whose address never leaves.
/// </summary>
internal static class StackSpace
{
    private static readonly Type[] Types =
    [
        typeof(Bytes8),
        typeof(Bytes16),
        typeof(Bytes32),
        typeof(Bytes64),
        typeof(Bytes128),
        typeof(Bytes256),
        typeof(Bytes512),
    ];

    /// <summary>The smallest type of at least so many bytes (at most 512), and its size.</summary>
    public static (Type Type, int Size) Of(int bytes)
    {
        var size = 8;
        foreach (var type in Types)
        {
            if (bytes <= size)
            {
                return (type, size);
            }
            size *= 2;
        }
        throw new ArgumentOutOfRangeException(nameof(bytes), bytes, "more than 512 bytes of stack");
    }

    // Fields cover every byte: RyuJIT may drop padding when it clears a struct.
    [StructLayout(LayoutKind.Sequential)]
    private struct Bytes8
    {
        public ulong A;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Bytes16
    {
        public Bytes8 A,
            B;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Bytes32
    {
        public Bytes16 A,
            B;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Bytes64
    {
        public Bytes32 A,
            B;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Bytes128
    {
        public Bytes64 A,
            B;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Bytes256
    {
        public Bytes128 A,
            B;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Bytes512
    {
        public Bytes256 A,
            B;
    }
}
