using RxStages.Bpf.Helpers;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;
using RxStages.Linux.KernelBpf;
using RxStages.TestKit;

namespace RxStages.KernelOracle.Tests.Helpers;

/// <summary>Which helpers there are for XDP programs, asked of the kernel's verifier.</summary>
public class HelperListTests
{
    // Helpers that are not built yet, by number.
    private static readonly int[] s_notBuilt =
    [
        .. (int[])[14, 15, 16, 17, 22, 25, 35, 37, 55, 80, 84, 85, 86, 87, 88, 89, 93, 94, 99, 100],
        .. (int[])[105, 106, 109, 110, 112, 113, 114, 115, 117, 120, 123, 130, 131, 132, 133, 134, 136],
        .. (int[])[137, 138, 139, 140, 141, 149, 153, 154, 156, 157, 158, 164, 165, 169, 170, 171],
        .. (int[])[172, 175, 176, 177, 178, 180, 181, 182, 194, 195, 196, 197, 198, 199, 200, 201, 202],
        .. (int[])[203, 204, 205, 206, 207, 209, 210, 211],
    ];

    [Fact]
    public void TheTableHasTheHelpersThatTheKernelLetsXdpProgramsCall()
    {
        Kernel.Require();
        for (var id = 0; id < 256; id++)
        {
            var isBuilt = HelperTable.Find(id) is not null;
            Assert.True(isBuilt || !IsAllowed(id) || s_notBuilt.Contains(id), $"helper {id} is not in the table");
            Assert.True(!isBuilt || IsAllowed(id), $"the kernel has no helper {id} for XDP programs");
        }
    }

    private static bool IsAllowed(int id)
    {
        var program = TestPrograms.Assemble($"call {id}\nr0 = 2\nexit");
        try
        {
            using var loaded = KernelProgram.Load(program, "GPL", []);
            return true;
        }
        catch (KernelBpfException exception)
        {
            // What it says of arguments comes only after it has found the helper.
            return exception.VerifierLog is { } log
                && !log.Contains("cannot use helper", StringComparison.Ordinal)
                && !log.Contains("invalid func", StringComparison.Ordinal)
                && !log.Contains("might sleep", StringComparison.Ordinal);
        }
    }
}
