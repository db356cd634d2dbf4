using System.Runtime.InteropServices;

namespace RxStages.Linux.KernelBpf;

/// <summary>
/// Keeps the calling thread on one CPU until disposed (on the same thread). A program that the kernel runs then always
/// finds the same slot of per-CPU maps.
/// </summary>
public sealed unsafe partial class ThreadAffinity : IDisposable
{
    // 8,192 CPUs, the most that the kernel can be built for.
    private const int MaskBytes = 1024;

    private readonly byte[] _before = new byte[MaskBytes];

    private ThreadAffinity() { }

    /// <summary>Binds the calling thread to a CPU.</summary>
    /// <param name="cpu">Its number, from 0.</param>
    /// <exception cref="InvalidOperationException">There is no such CPU, or the thread may not run on it.</exception>
    public static ThreadAffinity Pin(int cpu)
    {
        var affinity = new ThreadAffinity();
        fixed (byte* before = affinity._before)
        {
            Check(GetAffinity(0, MaskBytes, before), "read the CPUs of this thread");
        }
        Span<byte> mask = stackalloc byte[MaskBytes];
        mask.Clear();
        mask[cpu / 8] = (byte)(1 << (cpu % 8));
        Set(mask, $"bind this thread to CPU {cpu}");
        return affinity;
    }

    /// <inheritdoc/>
    public void Dispose() => Set(_before, "give this thread its CPUs back");

    private static void Set(ReadOnlySpan<byte> mask, string action)
    {
        fixed (byte* pointer = mask)
        {
            Check(SetAffinity(0, MaskBytes, pointer), action);
        }
    }

    private static void Check(int result, string action)
    {
        if (result < 0)
        {
            throw new InvalidOperationException($"cannot {action}: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    [LibraryImport("libc", EntryPoint = "sched_getaffinity", SetLastError = true)]
    private static partial int GetAffinity(int thread, nint size, byte* mask);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    private static partial int SetAffinity(int thread, nint size, byte* mask);
}
