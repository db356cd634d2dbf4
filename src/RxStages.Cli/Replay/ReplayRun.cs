using System.Diagnostics;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Interpretation;
using RxStages.Bpf.Programs;
using RxStages.Bpf.Runtime;
using RxStages.Captures;
using RxStages.Cli.Shared;
using RxStages.Engine;
using RxStages.Packets;
using RxStages.Ports;
using RxStages.Stages;
using RxStages.Telemetry;

namespace RxStages.Cli.Replay;

/// <summary>One replay: wires captures, program, outputs and maps to a worker, and runs it to the end.</summary>
internal sealed class ReplayRun : IDisposable
{
    /// <summary>Frames in flight: a vector, and room for copies that a broadcast makes.</summary>
    private const int Frames = 1024;

    /// <summary>Packets longer than a frame that can be in flight at once: a vector of them.</summary>
    private const int SideBuffers = PacketVector.MaxCapacity;

    private readonly ReplayOptions _options;
    private readonly List<IDisposable> _owned = [];

    public ReplayRun(ReplayOptions options)
    {
        if (options.Captures.Contains("-", StringComparer.Ordinal) && options.Repeat > 1)
        {
            throw new UsageException("the standard input can be read once only: --repeat needs files");
        }
        _options = options;
    }

    /// <summary>Replays all captures and reports. What could be replayed before an error is reported, too.</summary>
    /// <exception cref="InputException">Something that was read is broken, or an output cannot be written.</exception>
    public void Run()
    {
        var loaded = Own(
            LoadedObject.Load(_options.Program.ReadObject(), new LoadOptions { Engine = _options.Engine })
        );
        var program = loaded.GetProgram(_options.Program.Program);
        MapFiles.Fill(loaded, _options.Maps);

        var pool = Own(new FramePool(Frames, fragmentBuffers: SideBuffers));
        var captures = Own(
            new CaptureSeries(_options.Captures, _options.Repeat, pool, _options.Ifindex, _options.Queue)
        );
        var packets = _options.Json ? Own(new JsonPacketLog(Console.OpenStandardOutput(), _options.Data)) : null;
        var faults = program is InterpretedProgram interpreted ? new FaultReport(interpreted) : null;
        var bytes = new ByteCounts();
        var worker = Own(new Worker(captures, program, WorkerOptions(loaded, captures, bytes, packets)));
        var watch = Stopwatch.StartNew();
        InputException? error = null;
        try
        {
            RunToEnd(worker, captures);
        }
        catch (InputException broken)
        {
            error = broken;
        }
        worker.Publish();
        var summary = new ReplaySummary(worker.Telemetry, bytes, program.Name, _options, watch.Elapsed);
        if (packets is null)
        {
            summary.Print();
        }
        else
        {
            packets.Write(summary.Write);
        }
        faults?.Print();
        if (_options.DumpMaps is { } path)
        {
            MapFiles.Dump(loaded, path);
        }
        if (error is not null)
        {
            throw error;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        for (var i = _owned.Count - 1; i >= 0; i--)
        {
            _owned[i].Dispose();
        }
    }

    private static void RunToEnd(Worker worker, CaptureSeries captures)
    {
        using var progress = new ProgressLine("replaying");
        while (worker.Poll() != 0 || !captures.IsFinished)
        {
            progress.Report(captures.Progress);
        }
    }

    private WorkerOptions WorkerOptions(
        LoadedObject loaded,
        CaptureSeries captures,
        ByteCounts bytes,
        JsonPacketLog? packets
    )
    {
        var observers = new List<IPacketObserver> { bytes };
        if (packets is not null)
        {
            observers.Add(packets);
        }
        if (Open(_options.Write) is { } all)
        {
            observers.Add(new AnnotatedCapture(all, captures.Interfaces, _ => true));
        }
        if (Open(_options.WriteDrop) is { } dropped)
        {
            observers.Add(
                new AnnotatedCapture(dropped, captures.Interfaces, fate => fate is Fate.Dropped or Fate.Aborted)
            );
        }
        return new WorkerOptions
        {
            Mode = _options.Mode,
            VectorSize = _options.VectorSize,
            TimeStages = true,
            // The same replay gives the same result each time.
            RandomSeed = 1,
            Services = new RuntimeServices
            {
                TracePrint = _options.Trace ? line => Console.Error.WriteLine($"trace: {line}") : null,
                ReadableBytes = loaded.ReadableBytes,
            },
            Transmit = Consumer(_options.WriteTx, captures),
            NetworkStack = Consumer(_options.WritePass, captures),
            // In a replay every target is there: who wants its packets names a file.
            Redirects = new RedirectTable { Default = Consumer(_options.WriteRedirect, captures) },
            Observer = new ObserverList(observers),
        };
    }

    private IPacketConsumer Consumer(string? path, CaptureSeries captures) =>
        Open(path) is { } writer ? new CaptureConsumer(writer, captures.Interfaces) : DiscardingConsumer.Instance;

    private CaptureWriter? Open(string? path) => path is null ? null : Own(CaptureWriter.Create(path));

    private T Own<T>(T thing)
        where T : IDisposable
    {
        _owned.Add(thing);
        return thing;
    }
}
