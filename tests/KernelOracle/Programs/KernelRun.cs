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

    public KernelRun(Scenario scenario)
    {
        _scenario = scenario;
        _object = KernelObject.Load(scenario.ReadObject(), [scenario.Program]);
        scenario.Fill(name => new KernelMapCommands(_object.Map(name)));
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

    /// <summary>What the maps hold.</summary>
    public List<string> DumpMaps() => [.. _scenario.Dump(_object.Maps.Select(map => new KernelMapCommands(map)))];

    public void Dispose() => _object.Dispose();
}
