using System.Runtime.InteropServices;
using RxStages.Bpf.Programs;
using RxStages.Engine;
using RxStages.Linux.KernelBpf;
using RxStages.TestKit;

namespace RxStages.KernelOracle.Tests.Programs;

/// <summary>Random packets through every program of the corpus, in the kernel and here.</summary>
public class CorpusTests
{
    private const int Cpu = 0;
    private const int PacketsPerRound = 300;
    private const int LeastPrograms = 250;

    // Rounds follow each other on the same maps, with other packets and another size of vectors each.
    private static readonly (int VectorSize, int Seed)[] s_rounds = [(1, 101), (8, 108), (16, 116)];

    private static readonly Lazy<List<byte[]>[]> s_packets = new(() =>
        [.. s_rounds.Select(round => new PacketGenerator(round.Seed).Take(PacketsPerRound))]
    );

    private static readonly EngineSetup[] s_setups =
    [
        new(ExecutionEngine.Compiler, EngineMode.Staged, 16),
        new(ExecutionEngine.Interpreter, EngineMode.Staged, 16),
    ];

    public static TheoryData<string> Objects => [.. CorpusFiles.Names];

    [Fact]
    public void TheCorpusHasHundredsOfProgramsOfWhichNoTwoAreTheSame()
    {
        var programs = CorpusFiles
            .Names.SelectMany(name => CorpusFiles.Read(name).Programs)
            .Select(program => Convert.ToHexString(MemoryMarshal.AsBytes([.. program.Instructions.AsSpan()])))
            .ToHashSet(StringComparer.Ordinal);
        Assert.True(programs.Count >= LeastPrograms, $"{programs.Count} different programs");
    }

    [Theory]
    [InlineData("record_headers", "records: ")]
    [InlineData("sample_packets", "events: ")]
    public void TheKernelsRecordsAndEventsAreThereToCompare(string program, string line)
    {
        Kernel.Require();
        const string File = "telemetry.v3-O2";
        using var affinity = ThreadAffinity.Pin(Cpu);
        using var kernel = new KernelRun(CorpusFiles.ScenarioOf(CorpusFiles.Read(File), File, program), Cpu);
        var before = kernel.DumpMaps();
        kernel.Run(s_packets.Value[0]);
        var after = kernel.DumpMaps();
        Assert.InRange(
            after.Except(before).Count(text => text.StartsWith(line, StringComparison.Ordinal)),
            PacketsPerRound / 2,
            PacketsPerRound
        );
    }

    [Theory]
    [MemberData(nameof(Objects))]
    public void RandomPacketsFareAsInTheKernel(string name)
    {
        Kernel.Require();
        using var affinity = ThreadAffinity.Pin(Cpu);
        var spec = CorpusFiles.Read(name);
        var differences = spec
            .Programs.Select(program => Compare(CorpusFiles.ScenarioOf(spec, name, program.Name)))
            .OfType<string>()
            .ToList();
        Assert.True(differences.Count == 0, string.Join("\n\n", differences));
    }

    // The first difference, or that there was nothing to compare, in words.
    private static string? Compare(Scenario scenario)
    {
        try
        {
            using var kernel = new KernelRun(scenario, Cpu);
            var before = kernel.DumpMaps();
            var expected = s_packets
                .Value.Select(packets => (Outcomes: kernel.Run(packets), Maps: kernel.DumpMaps()))
                .ToList();
            if (!DoesSomething(before, expected))
            {
                return $"{scenario}: does the same with every packet, and nothing to any map";
            }
            return s_setups
                .Select(setup => Compare(scenario, setup, expected))
                .FirstOrDefault(text => text is not null);
        }
        catch (Exception exception) when (exception is not Xunit.Sdk.IAssertionException)
        {
            return $"{scenario}: {exception}";
        }
    }

    private static string? Compare(
        Scenario scenario,
        EngineSetup setup,
        List<(List<Outcome> Outcomes, List<string> Maps)> expected
    )
    {
        using var engine = new EngineRun(scenario, setup, Cpu);
        engine.DumpMaps();
        for (var i = 0; i < s_rounds.Length; i++)
        {
            var (vectorSize, seed) = s_rounds[i];
            var packets = s_packets.Value[i];
            var difference =
                Difference.OfPackets(packets, expected[i].Outcomes, engine.Run(packets, vectorSize))
                ?? Difference.OfMaps(expected[i].Maps, engine.DumpMaps());
            if (difference is not null)
            {
                return $"{scenario}, {setup.Execution}, vectors of {vectorSize}, seed {seed}: {difference}";
            }
        }
        return null;
    }

    // A program that its packets pass by would compare nothing.
    private static bool DoesSomething(List<string> before, List<(List<Outcome> Outcomes, List<string> Maps)> rounds) =>
        rounds.SelectMany(round => round.Outcomes).DistinctBy(outcome => outcome.ReturnValue).Count() > 1
        || rounds.Any(round => !round.Maps.SequenceEqual(before))
        || rounds
            .Zip(s_packets.Value)
            .Any(pair =>
                pair.First.Outcomes.Zip(pair.Second).Any(run => !run.First.Bytes.Span.SequenceEqual(run.Second))
            );
}
