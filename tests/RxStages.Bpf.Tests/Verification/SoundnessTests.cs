using System.Collections.Immutable;
using System.Runtime.InteropServices;
using RxStages.Bpf.Compilation;
using RxStages.Bpf.Interpretation;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;
using RxStages.Bpf.Tests.Compilation;
using RxStages.Bpf.Verification;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Verification;

/// <summary>What the verifier accepts never does what the checking interpreter forbids, whatever it is fed.</summary>
public class SoundnessTests
{
    private const int PacketsEach = 12;

    private static readonly int s_firstSeed = Setting("RXSTAGES_FUZZ_SEED", 1);
    private static readonly int s_featureSeeds = Setting("RXSTAGES_FUZZ_MUTANTS", 600);

    private static readonly ImmutableArray<MapSpec> s_featureMaps =
    [
        Programs.Maps[0],
        Of("hash", MapType.Hash, 16),
        .. Enumerable.Repeat(Programs.Maps[5], FeaturePrograms.Ring - 2),
        Programs.Maps[7],
        Of("outer", MapType.ArrayOfMaps, 4) with
        {
            Inner = Of("inner", MapType.Array, 16),
        },
        Programs.Maps[5],
        Of("locked", MapType.Hash, 16) with
        {
            SpecialFields = [new SpecialField(SpecialFieldKind.SpinLock, 4, 4)],
        },
    ];

    [Fact]
    public unsafe void GeneratedProgramsThatAreAcceptedNeverFault()
    {
        var ours = Programs.Maps[..1];
        using var array = MapFactory.Create(ours[0], new MapOptions { CpuCount = 1 });
        var (accepted, runs) = (0, 0);
        for (var seed = 1; seed <= 1000; seed++)
        {
            var random = new Random(seed);
            var spec = Programs.Assemble(new ProgramGenerator(random).Make(steps: 20));
            try
            {
                Verifier.Verify(spec, ours);
            }
            catch (VerificationException)
            {
                continue;
            }
            accepted++;
            FillWithEdges(array, random);
            var packets = Enumerable.Range(0, PacketsEach).Select(_ => new byte[random.Next(80)]).ToArray();
            using var vector = new TestVector(packets);
            for (var index = 0; index < PacketsEach; index++)
            {
                vector.Packets[index]->IngressIfindex = (uint)Edge(random);
                vector.Packets[index]->RxQueueIndex = (uint)Edge(random);
            }
            using var program = new InterpretedProgram(spec, [array]);
            program.OnFault = fault => Assert.Fail($"seed {seed}: {fault}");
            runs += vector.Run(program).Length;
        }
        Assert.True(accepted > 60, $"only {accepted} programs were accepted");
        Assert.Equal(accepted * PacketsEach, runs);
    }

    /// <summary>Records, dynptrs, inner maps, callbacks, iterators, locks: no faults, and the same when it is compiled.</summary>
    [Fact]
    public void GeneratedProgramsOfAllFeaturesThatAreAcceptedNeverFaultAndDoTheSameCompiled()
    {
        var accepted = 0;
        for (var seed = s_firstSeed; seed < s_firstSeed + s_featureSeeds; seed++)
        {
            var text = new FeaturePrograms(new Random(seed)).Make(steps: 4 + (seed % 5));
            var spec = Programs.Assemble(text) with
            {
                Kfuncs = [.. FeaturePrograms.Kfuncs.Select(name => new KfuncReference(name, 0, IsWeak: false))],
            };
            VerifiedProgram verified;
            try
            {
                verified = Verifier.Verify(
                    spec,
                    s_featureMaps,
                    new VerifierOptions { License = "GPL", MaxInstructionsVisited = 50_000 }
                );
            }
            catch (VerificationException)
            {
                continue;
            }
            accepted++;
            var interpreted = Run(
                seed,
                maps => new InterpretedProgram(spec, maps)
                {
                    OnFault = fault => Assert.Fail($"seed {seed}: {fault}\n{text}"),
                }
            );
            var compiled = Run(seed, maps => IlCompiler.Compile(verified, maps));
            Assert.True(interpreted == compiled, $"seed {seed}:\n{interpreted}\n{compiled}\n{text}");
        }
        Assert.True(accepted > s_featureSeeds / 10, $"only {accepted} programs were accepted");
    }

    /// <summary>Verdicts, packets and values after a run over some packets.</summary>
    private static unsafe string Run(int seed, Func<ImmutableArray<Map>, XdpProgram> make)
    {
        var random = new Random(seed);
        ImmutableArray<Map> maps =
        [
            .. s_featureMaps.Select(map => (Map)MapFactory.Create(map, new MapOptions { CpuCount = 1 })),
        ];
        using var inner = MapFactory.Create(
            s_featureMaps[FeaturePrograms.Outer].Inner!,
            new MapOptions { CpuCount = 1 }
        );
        Assert.Equal(0, ((IMapOfMaps)maps[FeaturePrograms.Outer]).SetMap([1, 0, 0, 0], inner));
        Assert.Equal(0, ((NativeMap)maps[FeaturePrograms.Locked]).Update([1, 0, 0, 0], new byte[16], 0));
        Assert.Equal(0, ((NativeMap)maps[1]).Update([1, 0, 0, 0], new byte[16], 0));
        FillWithEdges((NativeMap)maps[0], random);
        var packets = Enumerable.Range(0, PacketsEach).Select(_ => new byte[random.Next(14, 80)]).ToArray();
        Array.ForEach(packets, random.NextBytes);
        using var vector = new TestVector(packets);
        for (var index = 0; index < PacketsEach; index++)
        {
            vector.Packets[index]->IngressIfindex = (uint)Edge(random);
        }
        var value = new byte[48];
        using (var program = make(maps))
        {
            var verdicts = vector.Run(program);
            ((NativeMap)maps[0]).Lookup([1, 0, 0, 0], value);
            foreach (var map in maps)
            {
                map.Dispose();
            }
            var bytes = Enumerable.Range(0, PacketsEach).Select(index => Convert.ToHexString(vector.Bytes(index)));
            return $"{string.Join(' ', verdicts)} {Convert.ToHexString(value)} {string.Join(' ', bytes)}";
        }
    }

    /// <summary>Numbers around those that the programs compare with.</summary>
    private static ulong Edge(Random random) =>
        random.Next(4) switch
        {
            0 => (ulong)random.Next(64),
            1 => unchecked((ulong)-random.Next(64)),
            2 => (1ul << random.Next(64)) + (ulong)random.Next(3) - 1,
            _ => (ulong)random.NextInt64(),
        };

    private static void FillWithEdges(NativeMap array, Random random)
    {
        Span<ulong> value = stackalloc ulong[6];
        foreach (ref var number in value)
        {
            number = Edge(random);
        }
        Span<byte> key = [1, 0, 0, 0];
        Assert.Equal(0, array.Update(key, MemoryMarshal.AsBytes(value), flags: 0));
    }

    private static MapSpec Of(string name, MapType type, uint valueSize) =>
        new()
        {
            Name = name,
            Type = type,
            KeySize = 4,
            ValueSize = valueSize,
            MaxEntries = 4,
        };

    // The environment may ask for a longer hunt.
    private static int Setting(string name, int byDefault) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? int.Parse(value) : byDefault;
}
