using System.Text.Json;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Interpretation;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Programs;
using RxStages.Bpf.Runtime;
using RxStages.Captures;
using RxStages.TestKit;

namespace RxStages.Fuzz.Tests.Programs;

/// <summary>
/// Whatever instructions and definitions an object file has, the whole path from its bytes to verdicts and a dump of the
/// maps gives a result or a clean error, and what the verifier accepts does nothing that the interpreter forbids.
/// </summary>
public class ProgramFuzzTests
{
    /// <summary>Mutants per object and kind of mutation; the environment may ask for a longer hunt.</summary>
    private static readonly int s_mutants = Setting.Mutants(40);

    /// <summary>The first seed, to hunt where no run was before.</summary>
    private static readonly int s_firstSeed = Setting.FirstSeed;

    private const int Packets = 50;

    /// <summary>
    /// All that a mutant may allocate: what hostile input may make the process take. Most of it is for states of the verifier
    /// and given back on the way, so that less is ever resident.
    /// </summary>
    private const long MaximumAllocation = 256 << 20;

    private static readonly byte[][] s_packets = ReadPackets();

    // For an object whose loops may go round millions of times for each packet.
    private static readonly byte[][] s_fewPackets = [.. s_packets.Where((_, index) => index % 16 == 0)];

    /// <summary>The objects; the large one, whose every instruction is like the others, costs too much to repeat often.</summary>
    public static TheoryData<string> Objects =>
        [
            .. Directory
                .EnumerateFiles(Repository.PathOf("programs"), "*.bpf.o")
                .Concat(
                    Directory.EnumerateFiles(Repository.PathOf("tests", "RxStages.Bpf.Tests", "Objects", "data"), "*.o")
                )
                .Where(path => !path.EndsWith("large.bpf.o", StringComparison.Ordinal))
                .Select(path => Path.GetRelativePath(Repository.Root, path))
                .Order(StringComparer.Ordinal),
        ];

    [Theory]
    [MemberData(nameof(Objects))]
    public void BrokenInstructionsGiveVerdictsOrACleanError(string path)
    {
        var file = File.ReadAllBytes(Repository.PathOf(path));
        var code = InstructionMutations.CodeOf(file);
        for (var seed = s_firstSeed; seed < s_firstSeed + s_mutants; seed++)
        {
            Run(InstructionMutations.Mutate(file, code, seed), seed, PacketsFor(path));
        }
    }

    [Theory]
    [MemberData(nameof(Objects))]
    public void BrokenObjectsGiveVerdictsOrACleanError(string path)
    {
        var file = File.ReadAllBytes(Repository.PathOf(path));
        for (var seed = s_firstSeed; seed < s_firstSeed + s_mutants; seed++)
        {
            Run(Mutations.MutateInPlace(file, seed), seed, PacketsFor(path));
        }
    }

    private static byte[][] PacketsFor(string path) =>
        path.EndsWith("loops.bpf.o", StringComparison.Ordinal) ? s_fewPackets : s_packets;

    private static void Run(byte[] file, int seed, byte[][] packets)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            var spec = ObjectReader.Read(file, "fuzz");
            using var compiled = LoadedObject.Load(spec);
            using var interpreted = LoadedObject.Load(spec, new LoadOptions { Engine = ExecutionEngine.Interpreter });
            foreach (var program in spec.Programs)
            {
                RunProgram(compiled, interpreted, program, seed, packets);
            }
            DumpMaps(compiled);
        }
        catch (InputException)
        {
            // What most of them come to.
        }
        catch (Exception error) when (error is not Xunit.Sdk.XunitException)
        {
            Assert.Fail($"seed {seed}: {error}");
        }
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated < MaximumAllocation, $"seed {seed}: {allocated} bytes");
    }

    private static void RunProgram(
        LoadedObject compiled,
        LoadedObject interpreted,
        ProgramSpec spec,
        int seed,
        byte[][] packets
    )
    {
        XdpProgram program;
        try
        {
            program = compiled.GetProgram(spec.Name);
        }
        catch (InputException)
        {
            return;
        }
        RunPackets(program, packets);
        var slow = (InterpretedProgram)interpreted.GetProgram(spec.Name);
        slow.OnFault = fault => Assert.Fail($"seed {seed}: accepted, but {fault}");
        RunPackets(slow, packets);
    }

    private static void RunPackets(XdpProgram program, byte[][] packets)
    {
        foreach (var bytes in packets)
        {
            using var packet = new TestPacket(bytes);
            packet.Run(program);
        }
    }

    /// <summary>Dumps the maps that are small enough for it.</summary>
    private static void DumpMaps(LoadedObject loaded)
    {
        using var writer = new Utf8JsonWriter(Stream.Null);
        MapDump.Write(
            writer,
            loaded
                .Maps.Where(map => (ulong)map.Spec.MaxEntries * (ulong)map.SyscallValueSize <= 1 << 16)
                .Select(map => (map, loaded.Spec.Btf))
        );
    }

    private static byte[][] ReadPackets()
    {
        var packets = new List<byte[]>();
        foreach (var name in new[] { "edge-cases.pcapng", "vlan.pcap", "echo.pcapng", "ipv6.pcapng" })
        {
            using var reader = CaptureReader.Open(Repository.PathOf("samples", name));
            for (var i = 0; i < Packets / 4 && reader.TryRead(out var packet); i++)
            {
                if (packet.Data.Length <= XdpBuff.FrameSize - XdpBuff.Headroom - XdpBuff.FrameTailroom)
                {
                    packets.Add(packet.Data.ToArray());
                }
            }
        }
        return [.. packets];
    }
}
