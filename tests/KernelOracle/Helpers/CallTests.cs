using RxStages.Bpf.Programs;

namespace RxStages.KernelOracle.Tests.Helpers;

public class CallTests
{
    /// <summary>Every family of cases, by name.</summary>
    private static readonly Dictionary<string, IEnumerable<CallCase>> s_families = new(StringComparer.Ordinal)
    {
        ["packet bytes"] = PacketCases.Bytes,
        ["packet tail"] = PacketCases.Tail,
    };

    public static TheoryData<string> Families => [.. s_families.Keys];

    [Theory]
    [MemberData(nameof(Families))]
    public void HelpersAnswerAsTheKernelsDo(string family)
    {
        Kernel.Require();
        var differences = new List<string>();
        foreach (var @case in s_families[family])
        {
            var kernel = CallResult.InKernel(@case);
            foreach (var engine in Enum.GetValues<ExecutionEngine>())
            {
                if (CallResult.InEngine(@case, engine).DifferenceTo(kernel) is { } difference)
                {
                    differences.Add($"{@case.Name}, {engine}: {difference}");
                }
            }
        }
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }
}
