using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// The timers in maps' values (kernel/bpf/helpers.c: <c>bpf_timer_init</c> and its kin). They are known by the address of
/// their <c>struct bpf_timer</c>, never by what its bytes are. One lock guards them all: maps, and so their timers, are shared
/// by workers.
/// </summary>
internal static unsafe class MapTimers
{
    // Clocks of clock_gettime, and the flags of bpf_timer_start.
    private const ulong ClockRealtime = 0;
    private const ulong ClockMonotonic = 1;
    private const ulong ClockBoottime = 7;
    private const ulong Absolute = 1;
    private const ulong PinnedToCpu = 2;

    private static readonly Dictionary<nint, MapTimer> Timers = [];

    // Timers that were freed, to be used again: a program may make one for every packet.
    private static readonly Stack<MapTimer> Free = new();

    /// <summary>The lock.</summary>
    internal static Lock Gate { get; } = new();

    /// <summary><c>bpf_timer_init</c>: 0, EINVAL for an unknown clock, EBUSY when it is initialised already.</summary>
    internal static long Initialize(nint address, MapHeader* map, ulong flags)
    {
        if (flags is not (ClockRealtime or ClockMonotonic or ClockBoottime))
        {
            return -Errno.EINVAL;
        }
        lock (Gate)
        {
            if (Timers.ContainsKey(address))
            {
                return -Errno.EBUSY;
            }
            var timer = Free.TryPop(out var used) ? used : new MapTimer();
            (timer.Address, timer.Clock) = (address, (int)flags);
            timer.Map = map;
            Timers.Add(address, timer);
        }
        return 0;
    }

    /// <summary><c>bpf_timer_set_callback</c>: 0, or EINVAL before it is initialised.</summary>
    internal static long SetCallback(nint address, TimerFunction callback)
    {
        lock (Gate)
        {
            if (!Timers.TryGetValue(address, out var timer))
            {
                return -Errno.EINVAL;
            }
            timer.Callback = callback;
        }
        return 0;
    }

    /// <summary><c>bpf_timer_start</c>: 0, or EINVAL for unknown flags and before a function was set.</summary>
    internal static long Start(BpfRuntime* runtime, nint address, ulong nanoseconds, ulong flags)
    {
        if ((flags & ~(Absolute | PinnedToCpu)) != 0)
        {
            return -Errno.EINVAL;
        }
        lock (Gate)
        {
            if (!Timers.TryGetValue(address, out var timer) || timer.Callback is null)
            {
                return -Errno.EINVAL;
            }
            timer.Queue?.Remove(timer);
            timer.Due = DueTime(runtime->GetServices(), timer.Clock, nanoseconds, (flags & Absolute) != 0);
            TimerQueue.Of(runtime).Add(runtime, timer);
        }
        return 0;
    }

    /// <summary>
    /// <c>bpf_timer_cancel</c>: whether it was pending, EINVAL before it is initialised, EDEADLK in its own function. A
    /// function must be set before it can be started again.
    /// </summary>
    internal static long Cancel(nint address)
    {
        lock (Gate)
        {
            if (!Timers.TryGetValue(address, out var timer))
            {
                return -Errno.EINVAL;
            }
            if (timer.IsRunning)
            {
                return -Errno.EDEADLK;
            }
            timer.Callback = null;
            var wasPending = timer.Queue is not null;
            timer.Queue?.Remove(timer);
            return wasPending ? 1 : 0;
        }
    }

    /// <summary>An element of a map is gone, or new: its timer, if it has one, is none any more (<c>bpf_timer_cancel_and_free</c>).</summary>
    internal static void FreeIn(MapHeader* map, byte* value)
    {
        lock (Gate)
        {
            if (Timers.Remove((nint)value + (nint)map->TimerOffset, out var timer))
            {
                Release(timer);
            }
        }
    }

    /// <summary>A map is gone.</summary>
    internal static void FreeAll(MapHeader* map)
    {
        lock (Gate)
        {
            foreach (var (address, timer) in Timers)
            {
                if (timer.Map == map)
                {
                    Timers.Remove(address);
                    Release(timer);
                }
            }
        }
    }

    /// <summary>The key of the element that a timer is in (<c>map_key_from_value</c>); null for arrays, whose keys are no memory.</summary>
    internal static byte* KeyOf(MapTimer timer, out uint index)
    {
        index = 0;
        switch (timer.Map->Type)
        {
            case MapType.Array:
                var array = (ArrayHeader*)timer.Map;
                index = (uint)((nuint)(timer.Value - array->Values) / array->Stride);
                return null;
            default:
                var keyOffset = timer.Map->Type == MapType.LruHash ? LruStore.KeyOffset : FlatStore.KeyOffset;
                return timer.Value - ((HashHeader*)timer.Map)->Pool.ValueOffset + keyOffset;
        }
    }

    /// <summary>True while the element that a timer is in is in the map: an LRU map may have evicted it.</summary>
    internal static bool IsThere(BpfRuntime* runtime, MapTimer timer, byte* key) =>
        key is null || timer.Map->LookupElement(timer.Map, runtime, key) == timer.Value;

    private static void Release(MapTimer timer)
    {
        timer.Queue?.Remove(timer);
        timer.Callback = null;
        // One whose function runs is still looked at when that ends.
        if (!timer.IsRunning)
        {
            Free.Push(timer);
        }
    }

    private static ulong DueTime(RuntimeServices services, int clock, ulong nanoseconds, bool isAbsolute)
    {
        var now = services.KtimeGetNs();
        if (isAbsolute)
        {
            var clockNow = (ulong)clock switch
            {
                ClockRealtime => services.KtimeGetTaiNs(),
                ClockBoottime => services.KtimeGetBootNs(),
                _ => now,
            };
            nanoseconds = nanoseconds > clockNow ? nanoseconds - clockNow : 0;
        }
        // The kernel's times are signed: what is beyond is long past.
        return nanoseconds > long.MaxValue ? now : Math.Min(now, long.MaxValue) + nanoseconds;
    }
}
