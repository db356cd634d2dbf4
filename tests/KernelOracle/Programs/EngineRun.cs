using System.Collections.Immutable;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Programs;
using RxStages.Bpf.Runtime;
using RxStages.Captures;
using RxStages.Engine;
using RxStages.KernelOracle.Tests.Maps;
using RxStages.Linux.KernelBpf;
using RxStages.Packets;
using RxStages.Ports;
using RxStages.Telemetry;

namespace RxStages.KernelOracle.Tests.Programs;

/// <summary>How our side runs a program.</summary>
internal sealed record EngineSetup(ExecutionEngine Execution, EngineMode Mode, int VectorSize)
{
    public override string ToString() => $"{Execution}, {Mode}, vector {VectorSize}";
}

/// <summary>A scenario in our engine: the whole way of a packet, from a capture through the stages.</summary>
internal sealed class EngineRun : IDisposable
{
    // The kernel numbers the interface and the queue of test runs so.
    private const uint LoopbackIfindex = 1;
    private const uint Queue = 0;
    private const int Frames = 256;

    private readonly Scenario _scenario;
    private readonly LoadedObject _object;
    private readonly XdpProgram _program;
    private readonly WorkerOptions _options;

    public EngineRun(Scenario scenario, EngineSetup setup, int cpu)
    {
        _scenario = scenario;
        _object = LoadedObject.Load(
            scenario.ReadObject(),
            new LoadOptions
            {
                Engine = setup.Execution,
                Maps = new MapOptions { CpuCount = KernelMap.PossibleCpus },
            }
        );
        _program = _object.GetProgram(scenario.Program);
        _options = new WorkerOptions
        {
            Mode = setup.Mode,
            VectorSize = setup.VectorSize,
            Cpu = cpu,
            RandomSeed = 1,
            Services = new RuntimeServices { ReadableBytes = _object.ReadableBytes },
        };
        scenario.Fill(name => new EngineMapCommands(_object.FindMap(name)));
        foreach (var array in _object.Maps.OfType<PerfEventArrayMap>())
        {
            array.Open((uint)cpu);
        }
    }

    /// <summary>Runs the program on packets.</summary>
    /// <param name="packets">The packets.</param>
    /// <param name="vectorSize">The size of vectors in place of the setup's, 0 for that.</param>
    public List<Outcome> Run(IReadOnlyList<byte[]> packets, int vectorSize = 0)
    {
        using var capture = new CaptureReader(ToCapture(packets), "oracle");
        using var pool = new FramePool(Frames);
        var recorder = new Recorder();
        using var worker = new Worker(
            new CaptureReceivePort(capture, pool, LoopbackIfindex, Queue),
            _program,
            _options with
            {
                Observer = recorder,
                VectorSize = vectorSize == 0 ? _options.VectorSize : vectorSize,
            }
        );
        worker.RunToEnd();
        return recorder.Outcomes;
    }

    /// <summary>What the maps hold; records, events and what is queued are taken out.</summary>
    public List<string> DumpMaps()
    {
        var lines = _scenario.Dump(_object.Maps.Select(map => new EngineMapCommands(map))).ToList();
        foreach (var ring in _object.Maps.OfType<RingbufMap>())
        {
            ring.Consume(record => lines.Add(Scenario.Line(ring.Spec.Name, record)));
        }
        foreach (var array in _object.Maps.OfType<PerfEventArrayMap>())
        {
            array.Consume((_, data, lost) => lines.Add(Scenario.Line(array.Spec.Name, data, lost)));
        }
        return lines;
    }

    public void Dispose() => _object.Dispose();

    private static MemoryStream ToCapture(IReadOnlyList<byte[]> packets)
    {
        var stream = new MemoryStream();
        var writer = new CaptureWriter(stream, "oracle", CaptureFormat.Pcap);
        var @interface = writer.AddInterface(new CaptureInterface());
        foreach (var packet in packets)
        {
            writer.Write(new CapturePacket { Data = packet, Interface = @interface });
        }
        writer.Flush();
        stream.Position = 0;
        return stream;
    }

    private sealed unsafe class Recorder : IPacketObserver
    {
        public List<Outcome> Outcomes { get; } = [];

        public void Observe(XdpBuff** packets, uint* verdicts, Fate* fates, int count)
        {
            for (var i = 0; i < count; i++)
            {
                var packet = packets[i];
                var metadata = packet->DataMeta < packet->Data ? (int)(packet->Data - packet->DataMeta) : 0;
                var bytes = new byte[metadata + packet->Length];
                new ReadOnlySpan<byte>(packet->Data - metadata, metadata).CopyTo(bytes);
                PacketBytes.CopyTo(packet, bytes.AsSpan(metadata));
                Outcomes.Add(new Outcome(verdicts[i], bytes));
            }
        }
    }
}
