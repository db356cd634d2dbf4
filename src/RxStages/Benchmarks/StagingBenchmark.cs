using System.Diagnostics;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Runtime;
using RxStages.Engine;
using RxStages.Packets;
using RxStages.Ports;
using RxStages.Telemetry;

namespace RxStages.Benchmarks;

/// <summary>
/// Measures what staging buys a program: the time of its stage per packet, staged and per-packet, by vector size and by how
/// much of the traffic passes to a network stack that does real work. All configurations run in turn, round after round,
/// so that they can be compared although the machine's speed drifts.
/// </summary>
public sealed class StagingBenchmark
{
    private readonly XdpProgram _program;
    private readonly StagingBenchmarkOptions _options;
    private readonly byte[][] _passing;
    private readonly byte[][] _others;
    private readonly long _clockTicks;

    /// <summary>Sorts the packets by what the program says of them.</summary>
    /// <param name="program">The program.</param>
    /// <param name="packets">The traffic; packets longer than a frame are left out.</param>
    /// <param name="source">What the traffic is called in errors.</param>
    /// <param name="options">What to measure.</param>
    /// <exception cref="InputException">The traffic does not have the packets that the mix needs.</exception>
    public StagingBenchmark(
        XdpProgram program,
        IReadOnlyList<byte[]> packets,
        string source,
        StagingBenchmarkOptions options
    )
    {
        (_program, _options) = (program, options);
        using var pool = new FramePool(PacketVector.MaxCapacity);
        byte[][] usable = [.. packets.Where(packet => packet.Length <= pool.LinearCapacity)];
        var verdicts = Classify(program, pool, usable);
        _passing = [.. usable.Where((_, i) => verdicts[i] == (uint)XdpAction.Pass)];
        _others = [.. usable.Where((_, i) => verdicts[i] != (uint)XdpAction.Pass)];
        if (options.PassPercents.Any(percent => percent < 100) && _others.Length == 0)
        {
            throw new InputException(
                source,
                place: null,
                $"{program.Name} passes every packet: a mix needs packets that it drops, too"
            );
        }
        if (options.PassPercents.Any(percent => percent > 0) && _passing.Length == 0)
        {
            throw new InputException(
                source,
                place: null,
                $"{program.Name} passes no packet of it: a mix needs some that it does"
            );
        }
        _clockTicks = MeasureClock();
    }

    /// <summary>Runs all configurations, interleaved.</summary>
    /// <param name="progress">Is told the share that is done, 0 to 1.</param>
    public IReadOnlyList<StagingResult> Run(Action<double>? progress = null)
    {
        using var stack = new BenchStack(_options.StackFootprint);
        var lanes = new List<Lane>();
        try
        {
            foreach (var percent in _options.PassPercents)
            {
                var packets = Mix(percent);
                lanes.Add(new Lane(this, stack, packets, percent, EngineMode.PerPacket, 1));
                foreach (var size in _options.VectorSizes)
                {
                    lanes.Add(new Lane(this, stack, packets, percent, EngineMode.Staged, size));
                }
            }
            // The first rounds are for the runtime to compile and the caches to fill.
            var rounds = _options.Rounds + _options.WarmUpRounds;
            for (var round = 0; round < rounds; round++)
            {
                foreach (var lane in lanes)
                {
                    lane.RunOnce(isCounted: round >= _options.WarmUpRounds);
                }
                progress?.Invoke((double)(round + 1) / rounds);
            }
            return [.. lanes.Select(lane => lane.Result())];
        }
        finally
        {
            lanes.ForEach(lane => lane.Dispose());
        }
    }

    /// <summary>
    /// Traffic of which that share passes: spread evenly, which is the worst case for the instruction cache; each kind in the
    /// order of the capture, over and over.
    /// </summary>
    private byte[][] Mix(int passPercent)
    {
        var packets = new byte[_options.Packets][];
        int passed = 0,
            others = 0;
        for (var i = 0; i < packets.Length; i++)
        {
            var isPassing = (long)(i + 1) * passPercent / 100 > (long)i * passPercent / 100;
            packets[i] = isPassing ? _passing[passed++ % _passing.Length] : _others[others++ % _others.Length];
        }
        return packets;
    }

    private static uint[] Classify(XdpProgram program, FramePool pool, byte[][] packets)
    {
        if (packets.Length == 0)
        {
            return [];
        }
        var recorder = new VerdictRecorder();
        var loop = new PacketLoop(pool, packets);
        using var worker = new Worker(loop, program, new WorkerOptions { Observer = recorder });
        worker.RunToEnd();
        return [.. recorder.Verdicts];
    }

    /// <summary>What reading the clock once costs: it is part of what every stage's time holds.</summary>
    private static long MeasureClock()
    {
        const int Readings = 1001;
        var differences = new long[Readings];
        for (var i = 0; i < Readings; i++)
        {
            var start = Stopwatch.GetTimestamp();
            differences[i] = Stopwatch.GetTimestamp() - start;
        }
        Array.Sort(differences);
        return differences[Readings / 2];
    }

    /// <summary>
    /// One configuration: its traffic, its samples, and two workers. One times its stages; the other does not read the clock,
    /// which would be most of what all stages cost packet by packet.
    /// </summary>
    private sealed class Lane : IDisposable
    {
        private readonly StagingBenchmark _owner;
        private readonly int _passPercent;
        private readonly EngineMode _mode;
        private readonly int _vectorSize;
        private readonly FramePool _pool;
        private readonly PacketLoop _loop;
        private readonly Worker _timed;
        private readonly Worker _plain;
        private readonly List<double> _xdp = [];
        private readonly List<double> _total = [];
        private TelemetrySnapshot _before;

        public Lane(
            StagingBenchmark owner,
            BenchStack stack,
            byte[][] packets,
            int passPercent,
            EngineMode mode,
            int vectorSize
        )
        {
            (_owner, _passPercent, _mode, _vectorSize) = (owner, passPercent, mode, vectorSize);
            var isCold = owner._options.Temperature == PacketTemperature.Cold;
            _pool = new FramePool(isCold ? packets.Length : 4 * PacketVector.MaxCapacity);
            _loop = new PacketLoop(_pool, packets, owner._options.Temperature);
            var options = new WorkerOptions
            {
                Mode = mode,
                VectorSize = vectorSize,
                Prefetch = owner._options.Prefetch,
                NetworkStack = stack,
                RandomSeed = 1,
            };
            _timed = new Worker(_loop, owner._program, options with { TimeStages = true });
            _plain = new Worker(_loop, owner._program, options);
            _before = _timed.Telemetry;
        }

        /// <summary>Sends the traffic through once, timing the XDP stage, and once more, timing the whole.</summary>
        public void RunOnce(bool isCounted)
        {
            _loop.Rewind();
            _timed.RunToEnd();
            var after = _timed.Telemetry;
            _loop.Rewind();
            var start = Stopwatch.GetTimestamp();
            _plain.RunToEnd();
            var elapsed = Stopwatch.GetElapsedTime(start);
            if (isCounted)
            {
                var packets = (double)(after.Received - _before.Received);
                var clock = Stopwatch.GetElapsedTime(0, _owner._clockTicks * (after.Vectors - _before.Vectors));
                var xdp = after.TimeIn(Stage.Xdp) - _before.TimeIn(Stage.Xdp) - clock;
                _xdp.Add(xdp.TotalNanoseconds / packets);
                _total.Add(elapsed.TotalNanoseconds / packets);
            }
            _before = after;
        }

        public StagingResult Result() =>
            new(
                _mode,
                _vectorSize,
                _passPercent,
                100.0 * _before[XdpAction.Pass] / _before.Received,
                Spread.Of(_xdp),
                Spread.Of(_total)
            );

        public void Dispose()
        {
            _timed.Dispose();
            _plain.Dispose();
            _pool.Dispose();
        }
    }

    private sealed unsafe class VerdictRecorder : IPacketObserver
    {
        public List<uint> Verdicts { get; } = [];

        public void Observe(XdpBuff** packets, uint* verdicts, Fate* fates, int count) =>
            Verdicts.AddRange(new ReadOnlySpan<uint>(verdicts, count));
    }
}
