using RxStages.Packets;

namespace RxStages.Telemetry;

/// <summary>
/// A worker's counters and their published copy. The worker counts in memory of its own and publishes now and then; any
/// thread may read the copy. A version number, odd while the copy is being written, tells readers to try again.
/// </summary>
internal sealed unsafe class WorkerTelemetry : IDisposable
{
    private Counters* _own = NativeBlock.Allocate<Counters>();
    private Counters* _published = NativeBlock.Allocate<Counters>();
    private long _version;

    /// <summary>The counters, for the worker's thread only.</summary>
    public Counters* Counters => _own;

    /// <summary>Lets other threads see the counters as they are now.</summary>
    public void Publish()
    {
        Volatile.Write(ref _version, _version + 1);
        Interlocked.MemoryBarrier();
        *_published = *_own;
        Volatile.Write(ref _version, _version + 1);
    }

    /// <summary>The counters as last published; from any thread.</summary>
    public TelemetrySnapshot Read()
    {
        Counters copy;
        var wait = default(SpinWait);
        while (true)
        {
            var version = Volatile.Read(ref _version);
            copy = *_published;
            Interlocked.MemoryBarrier();
            if ((version & 1) == 0 && version == Volatile.Read(ref _version))
            {
                return new TelemetrySnapshot(&copy);
            }
            wait.SpinOnce();
        }
    }

    /// <summary>Frees both copies; nothing may read any more.</summary>
    public void Dispose()
    {
        NativeBlock.Free(ref _own);
        NativeBlock.Free(ref _published);
    }
}
