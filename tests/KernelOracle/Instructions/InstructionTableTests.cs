using System.Buffers.Binary;
using System.Collections.Immutable;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;
using RxStages.Linux.KernelBpf;
using RxStages.TestKit;

namespace RxStages.KernelOracle.Tests.Instructions;

/// <summary>
/// The table of instruction cases, which interpreter and compiler go by, against the kernel: each case becomes a function
/// that a small XDP program calls with the memory, a map's value, and whose r0 it stores into another.
/// </summary>
public class InstructionTableTests
{
    private const int MemoryMap = 0;
    private const int ResultMap = 1;

    // What the kernel decides otherwise, and why that says nothing against the table.
    private static readonly Dictionary<string, string> s_differences = new(StringComparer.Ordinal)
    {
        ["eight frames are allowed"] = "the calling program is a frame of its own",
    };

    [Fact]
    public void TheTableSaysWhatTheKernelComputes()
    {
        Kernel.Require();
        var differences = InstructionCases
            .All.Where(@case => !s_differences.ContainsKey(@case.Name))
            .Select(@case => (@case.Name, Table: Expected(@case), Kernel: RunInKernel(@case)))
            .Where(result => result.Table != result.Kernel)
            .Select(result => $"{result.Name}: table: {result.Table}; kernel: {result.Kernel}")
            .ToList();
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    // The kernel refuses some instructions that RFC 9669 defines: divisions by the constant 0, too long constant shifts.
    private static string Expected(InstructionCase @case) =>
        Describe(InstructionValidator.Validate(Assembler.Assemble(@case.Text).AsSpan()) is null ? @case.Result : null);

    private static string Describe(ulong? result) => result is null ? "refused" : $"0x{result:x}";

    private static string RunInKernel(InstructionCase @case)
    {
        var instructions = Wrap(@case);
        var spec = new ObjectSpec
        {
            Source = @case.Name,
            License = "GPL",
            Maps = [MapOf("memory", Math.Max(@case.Memory.Length, 1)), MapOf("result", sizeof(ulong))],
            Programs =
            [
                new ProgramSpec
                {
                    Name = "instruction",
                    Section = "xdp",
                    Instructions = instructions,
                    Functions = [new FunctionSpec("instruction", 0, instructions.Length, false, 0)],
                },
            ],
        };
        try
        {
            using var kernel = KernelObject.Load(spec);
            if (@case.Memory.Length > 0)
            {
                Assert.Equal(0, kernel.Maps[MemoryMap].Update(new byte[4], @case.Memory, 0));
            }
            var packet = new byte[64];
            kernel.Programs[0].TestRun(packet, packet);
            var result = new byte[sizeof(ulong)];
            Assert.Equal(0, kernel.Maps[ResultMap].Lookup(new byte[4], result));
            return Describe(BinaryPrimitives.ReadUInt64LittleEndian(result));
        }
        catch (KernelBpfException exception)
            when (exception.ErrorNumber is not Errno.EPERM && exception.VerifierLog is not null)
        {
            return "refused";
        }
    }

    // Only what is relative stands in the case's code, so it can move behind the caller as it is.
    private static ImmutableArray<Instruction> Wrap(InstructionCase @case)
    {
        var memory = @case.Memory.Length > 0 ? $"r1 = map_value[{MemoryMap}] ll" : "r1 = 0";
        var caller = Assembler.Assemble(
            $"""
            {memory}
            r2 = {@case.Memory.Length}
            call case
            r1 = map_value[{ResultMap}] ll
            *(u64 *)(r1 + 0) = r0
            r0 = 2
            exit
            case:
            """
        );
        return [.. caller, .. Assembler.Assemble(@case.Text)];
    }

    private static MapSpec MapOf(string name, int valueSize) =>
        new()
        {
            Name = name,
            Type = MapType.Array,
            KeySize = 4,
            ValueSize = (uint)valueSize,
            MaxEntries = 1,
        };
}
