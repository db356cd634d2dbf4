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
    private readonly List<KeyValuePair<string, KernelRingbuf>> _rings = [];

    public KernelRun(Scenario scenario)
    {
        _scenario = scenario;
        _object = KernelObject.Load(scenario.ReadObject(), [scenario.Program]);
        scenario.Fill(name => new KernelMapCommands(_object.Map(name)));
        foreach (var map in _object.Maps.Where(map => map.Spec.Type == MapType.Ringbuf))
        {
            _rings.Add(new(map.Spec.Name, new KernelRingbuf(map)));
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

    /// <summary>What the maps hold; records and what is queued are taken out.</summary>
    public List<string> DumpMaps() =>
        [
            .. _scenario.Dump(_object.Maps.Select(map => new KernelMapCommands(map))),
            .. _rings.SelectMany(ring =>
            {
                var records = new List<string>();
                ring.Value.Consume(record => records.Add($"{ring.Key}: {Convert.ToHexStringLower(record)}"));
                return records;
            }),
        ];

    public void Dispose()
    {
        _rings.ForEach(ring => ring.Value.Dispose());
        _object.Dispose();
    }
}
