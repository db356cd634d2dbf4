using RxStages.Bpf.Helpers;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Kfuncs;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.KernelOracle.Tests.Helpers;
using RxStages.KernelOracle.Tests.Network;

namespace RxStages.KernelOracle.Tests.Programs;

/// <summary>
/// Whatever the tables offer to programs, some program calls and is compared with the kernel: one of <c>programs/</c>, of the
/// corpus or of the calls of helpers.
/// </summary>
public class CoverageTests
{
    // Called where there is a network for it: the calls are made of what is in that network.
    private static readonly Dictionary<string, Type> s_inNetworks = new(StringComparer.Ordinal)
    {
        ["bpf_fib_lookup"] = typeof(RouteTests),
        ["bpf_check_mtu"] = typeof(RouteTests),
        ["bpf_sk_lookup_tcp"] = typeof(SocketTests),
        ["bpf_skc_lookup_tcp"] = typeof(SocketTests),
        ["bpf_sk_lookup_udp"] = typeof(SocketTests),
        ["bpf_sk_release"] = typeof(SocketTests),
        ["bpf_tcp_check_syncookie"] = typeof(SocketTests),
        ["bpf_tcp_gen_syncookie"] = typeof(SocketTests),
        ["bpf_tcp_raw_gen_syncookie_ipv4"] = typeof(SynCookieTests),
        ["bpf_tcp_raw_gen_syncookie_ipv6"] = typeof(SynCookieTests),
        ["bpf_tcp_raw_check_syncookie_ipv4"] = typeof(SynCookieTests),
        ["bpf_tcp_raw_check_syncookie_ipv6"] = typeof(SynCookieTests),
        ["bpf_xdp_ct_lookup"] = typeof(ConntrackTests),
        ["bpf_xdp_ct_alloc"] = typeof(ConntrackTests),
        ["bpf_ct_insert_entry"] = typeof(ConntrackTests),
        ["bpf_ct_release"] = typeof(ConntrackTests),
        ["bpf_ct_set_timeout"] = typeof(ConntrackTests),
        ["bpf_ct_change_timeout"] = typeof(ConntrackTests),
        ["bpf_ct_set_status"] = typeof(ConntrackTests),
        ["bpf_ct_change_status"] = typeof(ConntrackTests),
        ["bpf_ct_set_nat_info"] = typeof(ConntrackTests),
    };

    // Why there is nothing to compare.
    private static readonly Dictionary<string, string> s_exceptions = new(StringComparer.Ordinal) { };

    [Fact]
    public void EveryHelperOfTheTableIsCalled() =>
        AssertUsed(HelperTable.All.Select(helper => helper.Name), use => use.Helpers);

    [Fact]
    public void EveryKfuncOfTheTableIsCalled() =>
        AssertUsed(KfuncTable.All.Select(kfunc => kfunc.Name), use => use.Kfuncs);

    [Fact]
    public void EveryTypeOfMapsOfTheTableIsUsed() =>
        AssertUsed(MapTypeTable.All.Select(type => type.Name), use => use.MapTypes);

    private static void AssertUsed(IEnumerable<string> names, Func<Use, IEnumerable<string>> kind)
    {
        var used = s_uses.Value.SelectMany(kind).ToHashSet(StringComparer.Ordinal);
        var all = names.ToList();
        var missing = all.Where(name =>
                !used.Contains(name) && !s_inNetworks.ContainsKey(name) && !s_exceptions.ContainsKey(name)
            )
            .ToList();
        Assert.True(missing.Count == 0, $"no program asks the kernel about {string.Join(", ", missing)}");
        var stale = all.Where(name => used.Contains(name) && s_exceptions.ContainsKey(name)).ToList();
        Assert.True(stale.Count == 0, $"no exceptions any more: {string.Join(", ", stale)}");
    }

    private sealed record Use(
        IReadOnlyList<string> Helpers,
        IReadOnlyList<string> Kfuncs,
        IReadOnlyList<string> MapTypes
    );

    private static readonly Lazy<List<Use>> s_uses = new(() =>
        [
            .. ProgramFiles
                .Names.Select(ProgramFiles.Read)
                .Concat(CorpusFiles.Names.Select(CorpusFiles.Read))
                .Concat(CallTests.All.Select(@case => @case.ToObject()))
                .SelectMany(spec => spec.Programs.Select(program => UseOf(spec, program))),
        ]
    );

    private static Use UseOf(ObjectSpec spec, ProgramSpec program)
    {
        var calls = program.Instructions.Where(instruction => instruction.Opcode == Opcode.Call).ToList();
        return new Use(
            [
                .. calls
                    .Where(call => call.Source == 0)
                    .Select(call => HelperTable.Find(call.Immediate)?.Name)
                    .OfType<string>(),
            ],
            [
                .. calls
                    .Where(call => call.Source == PseudoCall.KernelFunction)
                    .Select(call => program.Kfuncs[call.Immediate].Name),
            ],
            [
                .. program
                    .Instructions.Where(load =>
                        load.IsWide && load.Source is PseudoLoad.MapIndex or PseudoLoad.MapIndexValue
                    )
                    .Select(load => MapTypeTable.Find(spec.Maps[load.Immediate].Type)?.Name)
                    .OfType<string>(),
            ]
        );
    }
}
