using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace RxStages.Packets;

/// <summary>Hints to the cache. They change no result; where .NET has no instruction for it (Arm64) they do nothing.</summary>
public static unsafe class Prefetch
{
    /// <summary>Asks for the cache line at <paramref name="address"/> to be loaded for reading; any address is allowed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Read(void* address)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(address);
        }
    }
}
