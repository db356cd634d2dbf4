namespace RxStages.Bpf.Maps;

/// <summary>
/// A lock for updates that also counts them: odd while one is at work, and different after it. Look-ups do not take it;
/// they see by it that an update was at work beside them.
/// </summary>
internal static unsafe class VersionLock
{
    internal static void Enter(uint* version)
    {
        var wait = default(SpinWait);
        while (true)
        {
            var now = Volatile.Read(ref *version);
            if ((now & 1) == 0 && Interlocked.CompareExchange(ref *version, now + 1, now) == now)
            {
                return;
            }
            wait.SpinOnce(sleep1Threshold: -1);
        }
    }

    internal static void Exit(uint* version) => Volatile.Write(ref *version, *version + 1);
}
