using System.Buffers.Binary;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Programs;
using RxStages.Bpf.Tests.Compilation;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Programs;

/// <summary>
/// The table of instruction cases as XDP programs: verified and compiled with all that the verifier found out, which is
/// other code than that of programs that run checked; and interpreted.
/// </summary>
public class InstructionTableTests
{
    private const uint Pass = 2;

    // The calling program is a frame of its own.
    private const string DeepestCase = "eight frames are allowed";

    [Theory]
    [InlineData(ExecutionEngine.Compiler)]
    [InlineData(ExecutionEngine.Interpreter)]
    public void XdpProgramsDoWhatTheTableSays(ExecutionEngine engine)
    {
        var differences = InstructionCases
            .All.Where(@case => @case.Name != DeepestCase)
            .Select(@case => (@case.Name, Table: Describe(@case.VerifiedResult), Run: Describe(Run(@case, engine))))
            .Where(result => result.Table != result.Run)
            .Select(result => $"{result.Name}: table: {result.Table}; run: {result.Run}")
            .ToList();
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    private static string Describe(ulong? result) => result is null ? "refused" : $"0x{result:x}";

    private static ulong? Run(InstructionCase @case, ExecutionEngine engine)
    {
        using var loaded = LoadedObject.Load(@case.ToXdpObject(), new LoadOptions { Engine = engine });
        using var vector = new TestVector(new byte[64]);
        if (@case.Memory.Length > 0)
        {
            Assert.Equal(0, loaded.Maps[InstructionCase.MemoryMap].Update(new byte[4], @case.Memory, 0));
        }
        try
        {
            if (vector.Run(loaded.GetProgram())[0] != Pass)
            {
                return null;
            }
        }
        catch (InputException)
        {
            return null;
        }
        var result = new byte[sizeof(ulong)];
        Assert.Equal(0, loaded.Maps[InstructionCase.ResultMap].Lookup(new byte[4], result));
        return BinaryPrimitives.ReadUInt64LittleEndian(result);
    }
}
