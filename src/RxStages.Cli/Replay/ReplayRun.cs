using System.Diagnostics;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Network;
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
    private readonly List<CaptureWriter> _outputs = [];

    public ReplayRun(ReplayOptions options)
    {
        if (options.Captures.Contains("-", StringComparer.Ordinal) && options.Repeat > 1)
        {
            throw new UsageException("the standard input can be read once only: --repeat needs files");
        }
        if (options.Captures.Count(capture => capture == "-") > 1)
        {
            throw new UsageException("the standard input can be read once only: - is given twice");
        }
        OutputFiles.Check(options);
        _options = options;
    }

    /// <summary>
    /// Replays all captures and reports. What could be replayed before an error or an interruption is reported, too.
    /// </summary>
    /// <returns>The command's exit code.</returns>
    /// <exception cref="InputException">Something that was read is broken, or an output cannot be written.</exception>
    public int Run()
    {
        var programs = Own(new ReplayPrograms(_options));
        var program = programs.Program;
        using var interruption = new Interruption();

        var pool = Own(new FramePool(Frames, fragmentBuffers: SideBuffers));
        var captures = Own(
            new CaptureSeries(_options.Captures, _options.Repeat, pool, _options.Ifindex, _options.Queue)
        );
        var packets = _options.Json ? Own(new JsonPacketLog(StandardOutput.Open(), _options.Data)) : null;
        var faults = new FaultReport(programs.Objects);
        var bytes = new ByteCounts();
        var worker = Own(new Worker(captures, program, WorkerOptions(programs, captures, bytes, packets)));
        using var events = new EventLog(programs.Maps, _options.Events);
        // Opened now, so that a long replay is not in vain where it cannot be written.
        using var dump = _options.DumpMaps is { } path ? new MapDumpFile(path) : null;
        var watch = Stopwatch.StartNew();
        InputException? error = null;
        try
        {
            RunToEnd(worker, captures, events, interruption);
        }
        catch (InputException broken)
        {
            error = broken;
        }
        worker.Publish();
        var summary = new ReplaySummary(worker.Telemetry, bytes, events, program.Name, _options, watch.Elapsed);
        if (packets is null)
        {
            summary.Print(IsStandardOutputTaken ? Console.Error : Console.Out);
        }
        else
        {
            packets.Write(summary.Write);
        }
        faults.Print();
        dump?.Write(programs.Objects);
        programs.SavePinnedMaps();
        events.Flush();
        foreach (var output in _outputs)
        {
            output.Flush();
        }
        if (error is not null)
        {
            throw error;
        }
        if (interruption.ExitCode != 0)
        {
            Console.Error.WriteLine("rxstages: interrupted: these are the results so far");
        }
        return interruption.ExitCode;
    }

    /// <summary>True where packets go to the standard output: people's tables then go to the standard error.</summary>
    private bool IsStandardOutputTaken =>
        new[]
        {
            _options.Write,
            _options.WritePass,
            _options.WriteTx,
            _options.WriteRedirect,
            _options.WriteDrop,
            _options.Events,
        }.Contains("-", StringComparer.Ordinal);

    /// <inheritdoc/>
    public void Dispose()
    {
        for (var i = _owned.Count - 1; i >= 0; i--)
        {
            try
            {
                _owned[i].Dispose();
            }
            catch (IOException error) when (StandardOutput.IsClosedByReader(error))
            {
                // Known by now; the other outputs are to be whole.
            }
        }
    }

    private static void RunToEnd(Worker worker, CaptureSeries captures, EventLog events, Interruption interruption)
    {
        using var progress = new ProgressLine("replaying");
        while (interruption.ExitCode == 0 && (worker.Poll() != 0 || !captures.IsFinished))
        {
            events.Read();
            progress.Report(captures.Progress);
        }
    }

    private WorkerOptions WorkerOptions(
        ReplayPrograms programs,
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
            RandomSeed = _options.Seed,
            Cpu = _options.Cpu,
            Services = Services(programs),
            Transmit = Consumer(_options.WriteTx, captures),
            NetworkStack = Consumer(_options.WritePass, captures),
            // In a replay every target is there: who wants its packets names a file.
            Redirects = new RedirectTable { Default = Consumer(_options.WriteRedirect, captures) },
            Observer = new ObserverList(observers),
        };
    }

    private RuntimeServices Services(ReplayPrograms programs)
    {
        var services = _options.Time.CreateServices();
        services.TracePrint = _options.Trace ? line => Console.Error.WriteLine($"trace: {line}") : null;
        var network = Network(programs);
        services.Network = network;
        services.KernelTypes = programs.KernelTypes;
        services.ReadableBytes = address =>
            programs.ReadableBytes(address) is var bytes and > 0 ? bytes : network.ReadableBytes(address);
        return services;
    }

    private NetworkEnvironment Network(ReplayPrograms programs)
    {
        var types = programs.KernelTypes;
        var routes = _options.Routes is { } file ? RouteFile.Read(file) : RouteTables.Empty;
        if (_options.Sockets is null)
        {
            return new NetworkEnvironment(_options.Seed, types) { Routes = routes };
        }
        var host = SocketFile.Read(_options.Sockets, routes);
        return new NetworkEnvironment(_options.Seed, types)
        {
            Routes = routes,
            Sockets = new SocketTable(host.Sockets, types),
            SynCookieSetting = host.SynCookies,
        };
    }

    private IPacketConsumer Consumer(string? path, CaptureSeries captures) =>
        Open(path) is { } writer ? new CaptureConsumer(writer, captures.Interfaces) : DiscardingConsumer.Instance;

    private CaptureWriter? Open(string? path)
    {
        if (path is null)
        {
            return null;
        }
        var writer = Own(CaptureWriter.Create(path));
        _outputs.Add(writer);
        return writer;
    }

    private T Own<T>(T thing)
        where T : IDisposable
    {
        _owned.Add(thing);
        return thing;
    }
}
