using System.Runtime.CompilerServices;

namespace RxStages.Bpf.Compilation;

/// <summary>
/// The atomic operations of eBPF (RFC 9669, section 5.3). All are full barriers, those without a result too, which is
/// more than the kernel promises for them. Addresses are aligned: the verifier sees to it.
/// </summary>
internal static unsafe class Atomics
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add(ulong* address, ulong value) => Interlocked.Add(ref *address, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Add(uint* address, uint value) => Interlocked.Add(ref *address, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong FetchAdd(ulong* address, ulong value) => Interlocked.Add(ref *address, value) - value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint FetchAdd(uint* address, uint value) => Interlocked.Add(ref *address, value) - value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Or(ulong* address, ulong value) => Interlocked.Or(ref *address, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Or(uint* address, uint value) => Interlocked.Or(ref *address, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong FetchOr(ulong* address, ulong value) => Interlocked.Or(ref *address, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint FetchOr(uint* address, uint value) => Interlocked.Or(ref *address, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void And(ulong* address, ulong value) => Interlocked.And(ref *address, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void And(uint* address, uint value) => Interlocked.And(ref *address, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong FetchAnd(ulong* address, ulong value) => Interlocked.And(ref *address, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint FetchAnd(uint* address, uint value) => Interlocked.And(ref *address, value);

    public static void Xor(ulong* address, ulong value) => FetchXor(address, value);

    public static void Xor(uint* address, uint value) => FetchXor(address, value);

    // .NET has no atomic exclusive or.
    public static ulong FetchXor(ulong* address, ulong value)
    {
        var seen = Volatile.Read(ref *address);
        while (true)
        {
            var found = Interlocked.CompareExchange(ref *address, seen ^ value, seen);
            if (found == seen)
            {
                return seen;
            }
            seen = found;
        }
    }

    public static uint FetchXor(uint* address, uint value)
    {
        var seen = Volatile.Read(ref *address);
        while (true)
        {
            var found = Interlocked.CompareExchange(ref *address, seen ^ value, seen);
            if (found == seen)
            {
                return seen;
            }
            seen = found;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Exchange(ulong* address, ulong value) => Interlocked.Exchange(ref *address, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Exchange(uint* address, uint value) => Interlocked.Exchange(ref *address, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong CompareExchange(ulong* address, ulong value, ulong expected) =>
        Interlocked.CompareExchange(ref *address, value, expected);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint CompareExchange(uint* address, uint value, uint expected) =>
        Interlocked.CompareExchange(ref *address, value, expected);
}
