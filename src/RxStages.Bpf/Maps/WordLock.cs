namespace RxStages.Bpf.Maps;

/// <summary>A lock in four bytes of native memory, 0 when free: <c>struct bpf_spin_lock</c>, and the locks of maps.</summary>
internal static unsafe class WordLock
{
    internal static void Enter(int* word)
    {
        var wait = default(SpinWait);
        while (Interlocked.CompareExchange(ref *word, 1, 0) != 0)
        {
            wait.SpinOnce(sleep1Threshold: -1);
        }
    }

    internal static void Exit(int* word) => Volatile.Write(ref *word, 0);
}
