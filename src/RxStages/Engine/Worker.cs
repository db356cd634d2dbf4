using System.Runtime.InteropServices;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Runtime;
using RxStages.Packets;
using RxStages.Ports;
using RxStages.Telemetry;

namespace RxStages.Engine;

/// <summary>
/// The engine of one receive queue: polls it, runs the program, sees packets to where they go. One thread uses it, apart
/// from <see cref="Install"/> and <see cref="Telemetry"/>, which any thread may call.
/// </summary>
public sealed unsafe class Worker : IDisposable
{
    /// <summary>Polls between two publications of the counters, while packets keep coming.</summary>
    private const int PublishInterval = 256;

    private readonly IReceiveQueue _queue;
    private readonly WorkerTelemetry _telemetry = new();
    private readonly Pipeline _pipeline;
    private readonly delegate* <Pipeline, XdpProgram, int> _run;
    private GCHandle _services;
    private BpfRuntime* _runtime = NativeBlock.Allocate<BpfRuntime>();
    private volatile XdpProgram _program;
    private readonly int _cpu;
    private int _unpublished;

    /// <summary>Makes a worker that is ready to poll.</summary>
    /// <param name="queue">Where packets come from. Not owned.</param>
    /// <param name="program">What runs on them.</param>
    /// <param name="options">How, and where they go.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range, or the program's maps have no room for the CPU.</exception>
    public Worker(IReceiveQueue queue, XdpProgram program, WorkerOptions? options = null)
    {
        options ??= new WorkerOptions();
        options.Check();
        _cpu = options.Cpu;
        _queue = queue;
        _program = Checked(program);
        _services = GCHandle.Alloc(options.Services);
        _runtime->Cpu = options.Cpu;
        _runtime->RandomState = options.RandomSeed != 0 ? options.RandomSeed : (ulong)Random.Shared.NextInt64() | 1;
        _runtime->Services = GCHandle.ToIntPtr(_services);
        _runtime->Frames = queue.Pool.Memory;
        _runtime->FramesLength = (nuint)queue.Pool.FrameCount * (nuint)queue.Pool.FrameSize;
        _pipeline = new Pipeline(queue, options, _runtime, _telemetry.Counters);
        _run = (options.Mode, options.TimeStages) switch
        {
            (EngineMode.Staged, false) => &RunStaged<NoStageClock>,
            (EngineMode.Staged, true) => &RunStaged<StopwatchStageClock>,
            (_, false) => &RunPerPacket<NoStageClock>,
            (_, true) => &RunPerPacket<StopwatchStageClock>,
        };
    }

    /// <summary>The counters as last published: at the end of <see cref="RunToEnd"/>, when no packet is ready, and now and then.</summary>
    public TelemetrySnapshot Telemetry => _telemetry.Read();

    /// <summary>Replaces the program between two vectors. The one before may be used until the present poll ends.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The program's maps have no room for the worker's CPU.</exception>
    public void Install(XdpProgram program) => _program = Checked(program);

    /// <summary>
    /// Takes the packets that are ready, up to the vector size, through all stages. Nothing is left behind for the next poll.
    /// An exception that a consumer throws ends the worker: what becomes of the vector's packets is then not counted.
    /// </summary>
    /// <returns>How many there were.</returns>
    public int Poll()
    {
        if (_runtime->NextTimer != 0)
        {
            TimerQueue.RunDue(_runtime);
        }
        var count = _run(_pipeline, _program);
        if (count != 0 && ++_unpublished < PublishInterval)
        {
            return count;
        }
        if (_unpublished != 0)
        {
            Publish();
        }
        return count;
    }

    // Map operations take the CPU's number unchecked.
    private XdpProgram Checked(XdpProgram program)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(program.CpuCount, _cpu, nameof(program));
        return program;
    }

    /// <summary>Lets other threads see the counters as they are now. For the thread that polls.</summary>
    public void Publish()
    {
        _telemetry.Publish();
        _unpublished = 0;
    }

    /// <summary>
    /// Polls until the queue is finished. While no packet is ready or no frame is free, it waits for other threads.
    /// </summary>
    /// <exception cref="OperationCanceledException">Stopped between two polls.</exception>
    public void RunToEnd(CancellationToken cancellation = default)
    {
        var wait = default(SpinWait);
        try
        {
            while (true)
            {
                cancellation.ThrowIfCancellationRequested();
                if (Poll() != 0)
                {
                    wait.Reset();
                }
                else if (_queue.IsFinished)
                {
                    return;
                }
                else
                {
                    wait.SpinOnce();
                }
            }
        }
        finally
        {
            Publish();
        }
    }

    /// <summary>Frees what the worker holds; the queue, the consumers and the program are not its own.</summary>
    public void Dispose()
    {
        if (_runtime == null)
        {
            return;
        }
        TimerQueue.Free(_runtime);
        _pipeline.Dispose();
        _telemetry.Dispose();
        _services.Free();
        NativeBlock.Free(ref _runtime);
    }

    private static int RunStaged<TClock>(Pipeline pipeline, XdpProgram program)
        where TClock : struct, IStageClock => pipeline.RunStaged<TClock>(program);

    private static int RunPerPacket<TClock>(Pipeline pipeline, XdpProgram program)
        where TClock : struct, IStageClock => pipeline.RunPerPacket<TClock>(program);
}
