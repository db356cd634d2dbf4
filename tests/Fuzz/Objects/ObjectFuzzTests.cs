using System.Text.Json;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;
using RxStages.TestKit;

namespace RxStages.Fuzz.Tests.Objects;

/// <summary>Whatever bytes an object file has: a spec that keeps its promises, or a clean error.</summary>
public class ObjectFuzzTests
{
    private const int Mutants = 400;
    private const long MaximumAllocation = 16 << 20;
    private const uint MaximumFormatted = 1 << 16;

    public static TheoryData<string> Objects =>
        [
            .. Directory
                .EnumerateFiles(Repository.PathOf("tests", "RxStages.Bpf.Tests", "Objects", "data"), "*.o")
                .Select(path => Path.GetRelativePath(Repository.Root, path))
                .Order(StringComparer.Ordinal),
        ];

    [Theory]
    [MemberData(nameof(Objects))]
    public void ABrokenObjectGivesASpecOrACleanError(string path)
    {
        var file = File.ReadAllBytes(Repository.PathOf(path));
        var errors = 0;
        for (var seed = 0; seed < Mutants; seed++)
        {
            errors += Read(Mutations.Mutate(file, seed), seed) ? 0 : 1;
            errors += Read(Mutations.MutateInPlace(file, seed), seed) ? 0 : 1;
        }
        // Else the mutations would not reach what is to be tested.
        Assert.InRange(errors, Mutants / 4, (2 * Mutants) - (Mutants / 4));
    }

    [Theory]
    [MemberData(nameof(Objects))]
    public void AnObjectCutOffAnywhereGivesACleanError(string path)
    {
        var file = File.ReadAllBytes(Repository.PathOf(path));
        for (var cut = 0; cut < file.Length; cut += 7)
        {
            Assert.False(Read(file[..cut], cut));
        }
    }

    /// <summary>Reads an object and everything in it; true when it was accepted.</summary>
    private static bool Read(byte[] file, int seed)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var isAccepted = true;
        try
        {
            // What the machine's kernel is must not matter; TargetFuzzTests has kernels to fit to.
            Check(ObjectReader.Read(file, "fuzz", TargetKernel.None));
        }
        catch (InputException error)
        {
            Assert.StartsWith("fuzz: ", error.Message, StringComparison.Ordinal);
            isAccepted = false;
        }
        catch (Exception error)
        {
            Assert.Fail($"seed {seed}: {error}");
        }
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated < MaximumAllocation, $"seed {seed}: {allocated} bytes");
        return isAccepted;
    }

    private static void Check(ObjectSpec spec)
    {
        foreach (var program in spec.Programs)
        {
            CheckProgram(program, spec.Maps.Length);
        }
        using var writer = new Utf8JsonWriter(Stream.Null);
        foreach (var map in spec.Maps.Where(map => map.BtfValueType != 0 && spec.Btf is not null))
        {
            writer.Reset();
            BtfFormatter.Write(
                writer,
                spec.Btf!,
                map.BtfValueType,
                new byte[Math.Min(map.ValueSize, MaximumFormatted)]
            );
        }
    }

    private static void CheckProgram(ProgramSpec program, int maps)
    {
        var slots = program.Instructions.Length;
        Assert.Equal(slots, program.Functions.Sum(function => function.Length));
        Assert.All(program.Lines, line => Assert.InRange(line.Slot, 0, slots - 1));
        for (var slot = 0; slot < slots; slot++)
        {
            program.LineOf(slot);
            var instruction = program.Instructions[slot];
            if (program.Unsupported is null && instruction.IsLocalCall)
            {
                Assert.Contains(program.Functions, function => function.Start == instruction.CallTarget(slot));
            }
            if (!instruction.IsWide)
            {
                continue;
            }
            if (instruction.Source is PseudoLoad.MapIndex or PseudoLoad.MapIndexValue)
            {
                Assert.InRange(instruction.Immediate, 0, maps - 1);
            }
            slot++;
            Assert.InRange(slot, 1, slots - 1);
        }
    }
}
