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
        ["fib_lookup"] = typeof(RouteTests),
        ["check_mtu"] = typeof(RouteTests),
        ["sk_lookup_tcp"] = typeof(SocketTests),
        ["skc_lookup_tcp"] = typeof(SocketTests),
        ["sk_lookup_udp"] = typeof(SocketTests),
        ["sk_release"] = typeof(SocketTests),
        ["skc_to_tcp6_sock"] = typeof(SocketTests),
        ["skc_to_tcp_sock"] = typeof(SocketTests),
        ["skc_to_tcp_timewait_sock"] = typeof(SocketTests),
        ["skc_to_tcp_request_sock"] = typeof(SocketTests),
        ["skc_to_udp6_sock"] = typeof(SocketTests),
        ["skc_to_unix_sock"] = typeof(SocketTests),
        ["skc_to_mptcp_sock"] = typeof(SocketTests),
        ["tcp_check_syncookie"] = typeof(SocketTests),
        ["tcp_gen_syncookie"] = typeof(SocketTests),
        ["tcp_raw_gen_syncookie_ipv4"] = typeof(SynCookieTests),
        ["tcp_raw_gen_syncookie_ipv6"] = typeof(SynCookieTests),
        ["tcp_raw_check_syncookie_ipv4"] = typeof(SynCookieTests),
        ["tcp_raw_check_syncookie_ipv6"] = typeof(SynCookieTests),
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

    private const string CurrentTask = "the kernel's test run has the test as its current task, receiving has none";
    private const string Metadata = "the kernel wants a program that is bound to a device, which test runs cannot have";
    private const string OnlyDeclared = "programs for XDP can do nothing with it in the kernel but name it, too";

    // Why there is nothing to compare.
    private static readonly Dictionary<string, string> s_exceptions = new(StringComparer.Ordinal)
    {
        ["get_current_pid_tgid"] = CurrentTask,
        ["get_current_uid_gid"] = CurrentTask,
        ["get_current_comm"] = CurrentTask,
        ["get_cgroup_classid"] = CurrentTask,
        ["get_current_task"] = CurrentTask,
        ["get_current_cgroup_id"] = CurrentTask,
        ["send_signal"] = CurrentTask,
        ["send_signal_thread"] = CurrentTask,
        ["current_task_under_cgroup"] = "it wants a map of cgroups, which programs may declare but not use here",
        ["bpf_xdp_flow_lookup"] = "it is in a module of the kernel that few have",
        ["bpf_xdp_metadata_rx_hash"] = Metadata,
        ["bpf_xdp_metadata_rx_timestamp"] = Metadata,
        ["bpf_xdp_metadata_rx_vlan_tag"] = Metadata,
        ["cgroup_array"] = "only current_task_under_cgroup takes it, see there",
        ["stack_trace"] = OnlyDeclared,
        ["reuseport_sockarray"] = OnlyDeclared,
        ["sk_storage"] = OnlyDeclared,
        ["inode_storage"] = OnlyDeclared,
        ["task_storage"] = OnlyDeclared,
        ["cgrp_storage"] = OnlyDeclared,
    };

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
