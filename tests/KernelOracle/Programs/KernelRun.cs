using RxStages.Bpf.Objects;
using RxStages.KernelOracle.Tests.Maps;
using RxStages.Linux.KernelBpf;

namespace RxStages.KernelOracle.Tests.Programs;

/// <summary>A scenario in the kernel.</summary>
internal sealed class KernelRun : IDisposable
{
    // What programs can add at most: the headroom, and the frame's end.
    private const int MaxGrowth = 4096;

    private readonly Scenario _scenario;
    private readonly KernelObject _object;
    private readonly Dictionary<string, KernelRingbuf> _ringbufs = new(StringComparer.Ordinal);
    private readonly Dictionary<string, KernelPerfRing> _perfRings = new(StringComparer.Ordinal);

    /// <param name="scenario">What to run.</param>
    /// <param name="cpu">The CPU that it will be run on.</param>
    public KernelRun(Scenario scenario, int cpu)
    {
        _scenario = scenario;
        _object = KernelObject.Load(scenario.ReadObject(), [scenario.Program]);
        scenario.Fill(name => new KernelMapCommands(_object.Map(name)));
        foreach (var map in _object.Maps)
        {
            switch (map.Spec.Type)
            {
                case MapType.Ringbuf:
                    _ringbufs.Add(map.Spec.Name, new KernelRingbuf(map));
                    break;
                case MapType.PerfEventArray:
                    _perfRings.Add(map.Spec.Name, new KernelPerfRing(map, cpu));
                    break;
            }
        }
    }

    /// <summary>Runs the program on packets, one after the other.</summary>
    public List<Outcome> Run(IReadOnlyList<byte[]> packets)
    {
        var program = _object.Program(_scenario.Program);
        var buffer = new byte[packets.Max(packet => packet.Length) + MaxGrowth];
        return
        [
            .. packets.Select(packet =>
            {
                var result = program.TestRun(packet, buffer);
                return new Outcome(result.ReturnValue, buffer.AsSpan(0, result.Length).ToArray());
            }),
        ];
    }

    /// <summary>What the maps hold; records, events and what is queued are taken out.</summary>
    public List<string> DumpMaps()
    {
        var lines = _scenario.Dump(_object.Maps.Select(map => new KernelMapCommands(map))).ToList();
        foreach (var (name, ring) in _ringbufs)
        {
            ring.Consume(record => lines.Add(Scenario.Line(name, record)));
        }
        foreach (var (name, ring) in _perfRings)
        {
            ring.Consume((_, data, lost) => lines.Add(Scenario.Line(name, data, lost)));
        }
        return lines;
    }

    public void Dispose()
    {
        _ringbufs.Values.ToList().ForEach(ring => ring.Dispose());
        _perfRings.Values.ToList().ForEach(ring => ring.Dispose());
        _object.Dispose();
    }
}
