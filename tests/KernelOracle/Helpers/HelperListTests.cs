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
    private static readonly int[] s_notBuilt = [169, 170, 171, 172, 194, 209];

    // Helpers that are refused by name: their answers would have to be made up.
    private static readonly Dictionary<int, string> s_refused = new()
    {
        [141] = "get_task_stack: there are no stacks of tasks",
        [149] = "snprintf_btf: structures of the kernel are not printed",
        [153] = "per_cpu_ptr: there are no variables of the kernel",
        [154] = "this_cpu_ptr: there are no variables of the kernel",
        [156] = "task_storage_get: tasks have no storage",
        [157] = "task_storage_delete: tasks have no storage",
        [158] = "get_current_task_btf: there are no structures of tasks",
        [175] = "task_pt_regs: there are no registers of tasks",
        [180] = "find_vma: tasks have no memory",
        [210] = "cgrp_storage_get: cgroups have no storage",
        [211] = "cgrp_storage_delete: cgroups have no storage",
    };

    [Fact]
    public void TheTableHasTheHelpersThatTheKernelLetsXdpProgramsCall()
    {
        Kernel.Require();
        for (var id = 0; id < 256; id++)
        {
            var isBuilt = HelperTable.Find(id) is not null;
            Assert.True(
                isBuilt || !IsAllowed(id) || s_notBuilt.Contains(id) || s_refused.ContainsKey(id),
                $"helper {id} is not in the table"
            );
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
