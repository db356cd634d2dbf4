using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace RxStages.Packets;

/// <summary>Zeroed native memory for arrays that the hot path works on: at a cache line's start at least.</summary>
internal static unsafe class NativeBlock
{
    /// <summary>Bytes in a cache line.</summary>
    public const int CacheLine = 64;

    private const nuint Page = 4096;
    private const nuint HugePage = 2 << 20;

    /// <summary>
    /// Takes zeroed memory for <paramref name="count"/> elements, aligned so that it can be backed by huge pages where it
    /// is large enough for one.
    /// </summary>
    public static T* Allocate<T>(nuint count = 1)
        where T : unmanaged
    {
        var size = checked(count * (nuint)sizeof(T));
        var alignment =
            size >= HugePage ? HugePage
            : size >= Page ? Page
            : CacheLine;
        var block = NativeMemory.AlignedAlloc(size, alignment);
        NativeMemory.Clear(block, size);
        return (T*)block;
    }

    /// <summary>Frees the memory and forgets its address. Null is allowed.</summary>
    public static void Free<T>(ref T* block)
        where T : unmanaged
    {
        NativeMemory.AlignedFree(block);
        block = null;
    }
}
