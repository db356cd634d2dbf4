using RxStages.Bpf.Programs;

namespace RxStages.KernelOracle.Tests.Helpers;

public class CallTests
{
    /// <summary>Every family of cases, by name.</summary>
    private static readonly Dictionary<string, Func<IEnumerable<CallCase>>> s_families = new(StringComparer.Ordinal)
    {
        ["packet bytes"] = () => PacketCases.Bytes,
        ["packet tail"] = () => PacketCases.Tail,
        ["numbers"] = () => TextCases.Numbers,
        ["comparisons"] = () => TextCases.Comparisons,
        ["printing"] = () => TextCases.Printing,
        ["tracing"] = () => TextCases.Tracing,
        ["probing"] = () => TextCases.Probing,
        ["checksums"] = () => ChecksumCases.All,
        ["redirects"] = () => [.. RedirectCases.All, .. RedirectCases.ToInterfaces],
        ["contexts"] = () => ContextCases.All,
        ["tasks"] = () => TaskCases.All,
        ["strings"] = () => TextCases.Strings,
        ["pulled packets"] = () => PacketCases.Pulled,
        ["maps"] = () => MapCases.Storage,
        ["values per CPU"] = () => MapCases.PerCpu,
        ["maps of maps"] = () => MapCases.OfMaps,
        ["queues"] = () => MapCases.Queues,
        ["ring buffers"] = () => MapCases.Ringbufs,
        ["records as dynptrs"] = () => MapCases.RingbufDynptrs,
        ["perf events"] = () => MapCases.PerfEvents,
        ["maps of sockets"] = () => MapCases.Sockets,
        ["dynptrs of memory"] = () => DynptrCases.OfMemory,
        ["dynptrs of packets"] = () => DynptrCases.OfPackets,
        ["slices"] = () => DynptrCases.Slices,
        ["dynptrs changed"] = () => DynptrCases.Changes,
    };

    public static TheoryData<string> Families => [.. s_families.Keys];

    /// <summary>All cases of all families.</summary>
    internal static IEnumerable<CallCase> All => s_families.Values.SelectMany(family => family());

    [Theory]
    [MemberData(nameof(Families))]
    public void HelpersAnswerAsTheKernelsDo(string family)
    {
        Kernel.Require();
        var differences = new List<string>();
        foreach (var @case in s_families[family]())
        {
            var kernel = Run(@case, "kernel", () => CallResult.InKernel(@case));
            foreach (var engine in Enum.GetValues<ExecutionEngine>())
            {
                var difference = Run(@case, $"{engine}", () => CallResult.InEngine(@case, engine)).DifferenceTo(kernel);
                if (difference is not null)
                {
                    differences.Add($"{@case.Name}, {engine}: {difference}");
                }
            }
        }
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    private static CallResult Run(CallCase @case, string where, Func<CallResult> run)
    {
        try
        {
            return run();
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException($"{@case.Name}, {where}: {exception.Message}", exception);
        }
    }
}
