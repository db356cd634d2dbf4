using System.Runtime.InteropServices;
using RxStages.Bpf.Interpretation;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Tests.Compilation;
using RxStages.Bpf.Verification;

namespace RxStages.Bpf.Tests.Verification;

/// <summary>What the verifier accepts never does what the checking interpreter forbids, whatever it is fed.</summary>
public class SoundnessTests
{
    private const int PacketsEach = 12;

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
}
