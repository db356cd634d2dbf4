using RxStages.Bpf.Programs;
using RxStages.Bpf.Runtime;
using RxStages.Engine;
using RxStages.Linux.KernelBpf;

namespace RxStages.KernelOracle.Tests.Programs;

public class ProgramOracleTests
{
    private static readonly EngineSetup[] s_setups =
    [
        new(ExecutionEngine.Compiler, EngineMode.Staged, 16),
        new(ExecutionEngine.Compiler, EngineMode.Staged, 8),
        new(ExecutionEngine.Compiler, EngineMode.Staged, 1),
        new(ExecutionEngine.Compiler, EngineMode.PerPacket, 16),
        new(ExecutionEngine.Interpreter, EngineMode.Staged, 16),
        new(ExecutionEngine.Interpreter, EngineMode.PerPacket, 16),
    ];

    // Around every limit of a header, a frame and the test run.
    private static readonly int[] s_lengths =
    [
        14,
        15,
        17,
        20,
        21,
        33,
        34,
        60,
        63,
        64,
        65,
        100,
        1514,
        2048,
        3000,
        3400,
        3519,
        3520,
    ];

    public static TheoryData<string> OnCaptures => [.. Scenarios.OnCaptures.Select(scenario => scenario.ToString())];

    public static TheoryData<string> Probes => [.. Scenarios.Probes.Select(scenario => scenario.ToString())];

    [Theory]
    [MemberData(nameof(OnCaptures))]
    public void ProgramsDoWithPacketsWhatTheyDoInTheKernel(string name)
    {
        Kernel.Require();
        var scenario = Scenarios.OnCaptures.Single(s => s.ToString() == name);
        Compare(scenario, PacketSets.All);
    }

    [Theory]
    [MemberData(nameof(Probes))]
    public void HelpersAnswerAtTheirEdgesAsTheyDoInTheKernel(string name)
    {
        Kernel.Require();
        var scenario = Scenarios.Probes.Single(s => s.ToString() == name);
        var random = new Random(3);
        var batches = s_lengths.Select(length =>
        {
            var packet = new byte[length];
            random.NextBytes(packet);
            return new PacketSet($"{length} bytes", [packet]);
        });
        Compare(scenario, batches);
    }

    // The sets follow each other on the same maps, which must be equal after each of them.
    private static void Compare(Scenario scenario, IEnumerable<PacketSet> sets)
    {
        const int Cpu = 0;
        using var affinity = ThreadAffinity.Pin(Cpu);
        using var kernel = new KernelRun(scenario, Cpu);
        var expected = sets.Select(set => (Set: set, Outcomes: kernel.Run(set.Packets), Maps: kernel.DumpMaps()))
            .ToList();
        // A scenario that its packets pass by would compare nothing.
        Assert.Equal(
            scenario.Verdicts,
            expected
                .SelectMany(run => run.Outcomes)
                .Select(outcome => (XdpAction)outcome.ReturnValue)
                .Distinct()
                .Order()
        );
        foreach (var setup in s_setups)
        {
            using var engine = new EngineRun(scenario, setup, Cpu);
            foreach (var (set, outcomes, maps) in expected)
            {
                var difference =
                    Difference.OfPackets(set.Packets, outcomes, engine.Run(set.Packets))
                    ?? Difference.OfMaps(maps, engine.DumpMaps());
                Assert.True(difference is null, $"{scenario}, {setup}, {set.Name}: {difference}");
            }
        }
    }
}
