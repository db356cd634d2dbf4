using System.Runtime.InteropServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// The pending timers of one worker: those that its programs started. They are called between vectors, on the worker's
/// thread, by the clock of its services. A binary heap, guarded by the lock of <see cref="MapTimers"/>.
/// </summary>
public sealed unsafe class TimerQueue
{
    private MapTimer[] _heap = new MapTimer[16];
    private int _count;
    private ulong _sequence;

    private TimerQueue() { }

    /// <summary>
    /// Calls the functions of all timers that are due. A timer that is started anew meanwhile waits for the next time, even
    /// if it is due at once. Cheap to call only when <see cref="BpfRuntime.NextTimer"/> is not 0.
    /// </summary>
    public static void RunDue(BpfRuntime* runtime)
    {
        if (runtime->Timers == 0)
        {
            return;
        }
        var now = runtime->GetServices().KtimeGetNs();
        if (now >= runtime->NextTimer)
        {
            GCHandle<TimerQueue>.FromIntPtr(runtime->Timers).Target.Run(runtime, now);
        }
    }

    /// <summary>The worker ends: none of its timers is called any more.</summary>
    public static void Free(BpfRuntime* runtime)
    {
        if (runtime->Timers == 0)
        {
            return;
        }
        var handle = GCHandle<TimerQueue>.FromIntPtr(runtime->Timers);
        lock (MapTimers.Gate)
        {
            var queue = handle.Target;
            while (queue._count > 0)
            {
                queue.Remove(queue._heap[0]);
            }
        }
        handle.Dispose();
        runtime->Timers = 0;
        runtime->NextTimer = 0;
    }

    /// <summary>The worker's queue, made if it has none yet.</summary>
    internal static TimerQueue Of(BpfRuntime* runtime)
    {
        if (runtime->Timers == 0)
        {
            runtime->Timers = GCHandle<TimerQueue>.ToIntPtr(new GCHandle<TimerQueue>(new TimerQueue()));
        }
        return GCHandle<TimerQueue>.FromIntPtr(runtime->Timers).Target;
    }

    /// <summary>Adds a timer that waits in no queue; due times are as they are in the timer.</summary>
    internal void Add(BpfRuntime* runtime, MapTimer timer)
    {
        if (_count == _heap.Length)
        {
            Array.Resize(ref _heap, _count * 2);
        }
        timer.Queue = this;
        timer.Sequence = _sequence++;
        timer.Place = _count++;
        _heap[timer.Place] = timer;
        Rise(timer);
        SetNext(runtime);
    }

    /// <summary>Takes a timer out.</summary>
    internal void Remove(MapTimer timer)
    {
        var last = _heap[--_count];
        _heap[_count] = null!;
        timer.Queue = null;
        if (last != timer)
        {
            last.Place = timer.Place;
            _heap[last.Place] = last;
            Rise(last);
            Sink(last);
        }
    }

    private void Run(BpfRuntime* runtime, ulong now)
    {
        var started = _sequence;
        while (true)
        {
            MapTimer timer;
            TimerFunction? callback;
            lock (MapTimers.Gate)
            {
                if (_count == 0 || _heap[0].Due > now || _heap[0].Sequence >= started)
                {
                    SetNext(runtime);
                    return;
                }
                timer = _heap[0];
                Remove(timer);
                callback = timer.Callback;
                timer.IsRunning = true;
            }
            var key = MapTimers.KeyOf(timer, out var index);
            if (callback is not null && MapTimers.IsThere(runtime, timer, key))
            {
                callback.Call(runtime, timer.Map, key is null ? (byte*)&index : key, timer.Value);
            }
            lock (MapTimers.Gate)
            {
                timer.IsRunning = false;
            }
        }
    }

    private void SetNext(BpfRuntime* runtime) => runtime->NextTimer = _count == 0 ? 0 : Math.Max(_heap[0].Due, 1);

    private void Rise(MapTimer timer)
    {
        while (timer.Place > 0 && timer.IsBefore(_heap[(timer.Place - 1) / 2]))
        {
            Swap(timer, _heap[(timer.Place - 1) / 2]);
        }
    }

    private void Sink(MapTimer timer)
    {
        while (true)
        {
            var first = timer;
            for (var child = (2 * timer.Place) + 1; child <= (2 * timer.Place) + 2 && child < _count; child++)
            {
                first = _heap[child].IsBefore(first) ? _heap[child] : first;
            }
            if (first == timer)
            {
                return;
            }
            Swap(timer, first);
        }
    }

    private void Swap(MapTimer a, MapTimer b)
    {
        (a.Place, b.Place) = (b.Place, a.Place);
        _heap[a.Place] = a;
        _heap[b.Place] = b;
    }
}
