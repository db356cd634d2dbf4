using System.Buffers.Binary;
using RxStages.Bpf.Runtime;
using RxStages.Linux.KernelBpf;
using RxStages.TestKit;

namespace RxStages.KernelOracle.Tests.Instructions;

/// <summary>The table of instruction cases, which interpreter and compiler go by, against the kernel.</summary>
public class InstructionTableTests
{
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
            .Select(@case => (@case.Name, Table: Describe(@case.VerifiedResult), Kernel: RunInKernel(@case)))
            .Where(result => result.Table != result.Kernel)
            .Select(result => $"{result.Name}: table: {result.Table}; kernel: {result.Kernel}")
            .ToList();
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    private static string Describe(ulong? result) => result is null ? "refused" : $"0x{result:x}";

    private static string RunInKernel(InstructionCase @case)
    {
        try
        {
            using var kernel = KernelObject.Load(@case.ToXdpObject());
            if (@case.Memory.Length > 0)
            {
                Assert.Equal(0, kernel.Maps[InstructionCase.MemoryMap].Update(new byte[4], @case.Memory, 0));
            }
            var packet = new byte[64];
            kernel.Programs[0].TestRun(packet, packet);
            var result = new byte[sizeof(ulong)];
            Assert.Equal(0, kernel.Maps[InstructionCase.ResultMap].Lookup(new byte[4], result));
            return Describe(BinaryPrimitives.ReadUInt64LittleEndian(result));
        }
        catch (KernelBpfException exception)
            when (exception.ErrorNumber is not Errno.EPERM && exception.VerifierLog is not null)
        {
            return "refused";
        }
    }
}
