using System.Collections.Immutable;
using RxStages.Bpf.Compilation;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;
using RxStages.Bpf.Verification;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Compilation;

/// <summary>What compiled programs call for each packet allocates no managed memory.</summary>
public sealed unsafe class HelperAllocationTests
{
    private const int Rounds = 200;

    private static readonly ImmutableArray<MapSpec> s_maps =
    [
        MapOf("ring", MapType.Ringbuf, 0, 0, 4096),
        MapOf("events", MapType.PerfEventArray, 4, 4, 2),
        MapOf("queue", MapType.Queue, 0, 8, 4),
        MapOf("filter", MapType.BloomFilter, 0, 8, 100),
        MapOf("array", MapType.Array, 4, 8, 4),
        MapOf("timers", MapType.Array, 4, 32, 1) with
        {
            SpecialFields =
            [
                new SpecialField(SpecialFieldKind.Timer, 0, 16),
                new SpecialField(SpecialFieldKind.SpinLock, 16, 4),
            ],
        },
        MapOf("hash", MapType.Hash, 4, 8, 4),
        MapOf("outer", MapType.ArrayOfMaps, 4, 4, 1) with
        {
            Inner = MapOf("inner", MapType.Array, 4, 8, 4),
        },
    ];

    private const string Timer = """
        *(u32 *)(r10 - 4) = 0
        r2 = r10
        r2 += -4
        r1 = map[5] ll
        call 1
        if r0 == 0 goto out
        r6 = r0
        """;

    /// <summary>What is called, the kfuncs by index, and the program: r6 is the context, 8 bytes of data are at r10 - 8, 64 zeros at r10 - 72.</summary>
    public static TheoryData<string, string, string> Calls =>
        new()
        {
            { "ringbuf_output", "", "r1 = map[0] ll\nr2 = r10\nr2 += -8\nr3 = 8\nr4 = 0\ncall 130" },
            {
                "ringbuf_submit",
                "",
                "r1 = map[0] ll\nr2 = 8\nr3 = 0\ncall 131\nif r0 == 0 goto out\nr1 = r0\nr2 = 0\ncall 132"
            },
            { "perf_event_output", "", "r1 = r6\nr2 = map[1] ll\nw3 = -1\nr4 = r10\nr4 += -8\nr5 = 8\ncall 25" },
            { "map_push_elem", "", "r1 = map[2] ll\nr2 = r10\nr2 += -8\nr3 = 2\ncall 87" },
            { "map_pop_elem", "", "r1 = map[2] ll\nr2 = r10\nr2 += -8\ncall 88" },
            { "map_peek_elem", "", "r1 = map[3] ll\nr2 = r10\nr2 += -8\ncall 89" },
            { "fib_lookup", "", "r1 = r6\nr2 = r10\nr2 += -72\nr3 = 64\nr4 = 0\ncall 69" },
            { "check_mtu", "", "r1 = r6\nr2 = 0\nr3 = r10\nr3 += -8\nr4 = 0\nr5 = 0\ncall 163" },
            {
                "sk_lookup_tcp",
                "",
                "r1 = r6\nr2 = r10\nr2 += -72\nr3 = 12\nr4 = -1\nr5 = 0\ncall 84\nif r0 == 0 goto out\nr1 = r0\ncall 86"
            },
            {
                "bpf_xdp_ct_lookup",
                "bpf_xdp_ct_lookup,bpf_ct_release",
                """
                    *(u32 *)(r10 - 24) = -1
                    *(u8 *)(r10 - 16) = 6
                    r1 = r6
                    r2 = r10
                    r2 += -72
                    r3 = 12
                    r4 = r10
                    r4 += -24
                    r5 = 16
                    call kfunc[0]
                    if r0 == 0 goto out
                    r1 = r0
                    call kfunc[1]
                    """
            },
            {
                "bpf_xdp_ct_alloc",
                "bpf_xdp_ct_alloc,bpf_ct_insert_entry,bpf_ct_release",
                """
                    *(u32 *)(r10 - 24) = -1
                    *(u8 *)(r10 - 16) = 6
                    r1 = r6
                    r2 = r10
                    r2 += -72
                    r3 = 12
                    r4 = r10
                    r4 += -24
                    r5 = 16
                    call kfunc[0]
                    if r0 == 0 goto out
                    r1 = r0
                    call kfunc[1]
                    if r0 == 0 goto out
                    r1 = r0
                    call kfunc[2]
                    """
            },
            {
                "dynptrs",
                "bpf_dynptr_from_xdp,bpf_dynptr_slice,bpf_dynptr_clone,bpf_dynptr_adjust",
                """
                    r1 = r6
                    r2 = 0
                    r3 = r10
                    r3 += -24
                    call kfunc[0]
                    r1 = r10
                    r1 += -24
                    r2 = r10
                    r2 += -40
                    call kfunc[2]
                    r1 = r10
                    r1 += -40
                    r2 = 1
                    r3 = 20
                    call kfunc[3]
                    r1 = r10
                    r1 += -40
                    r2 = 0
                    r3 = r10
                    r3 += -56
                    r4 = 8
                    call kfunc[1]
                    r1 = r10
                    r1 += -56
                    r2 = 8
                    r3 = r10
                    r3 += -24
                    r4 = 0
                    r5 = 0
                    call 201
                    """
            },
            { "xdp_load_bytes", "", "r1 = r6\nr2 = 0\nr3 = r10\nr3 += -8\nr4 = 8\ncall 189" },
            { "xdp_adjust_tail", "", "r1 = r6\nr2 = 0\ncall 65" },
            { "csum_diff", "", "r1 = 0\nr2 = 0\nr3 = r10\nr3 += -8\nr4 = 8\nr5 = 0\ncall 28" },
            { "ktime_get_ns", "", "call 5" },
            { "jiffies64", "", "call 118" },
            { "get_prandom_u32", "", "call 7" },
            { "snprintf", "", "r1 = r10\nr1 += -72\nr2 = 8\nr3 = map_value[8]+0 ll\nr4 = 0\nr5 = 0\ncall 165" },
            { "strtol", "", "r1 = r10\nr1 += -72\nr2 = 8\nr3 = 10\nr4 = r10\nr4 += -8\ncall 105" },
            { "probe_read_kernel", "", "r1 = r10\nr1 += -8\nr2 = 8\nr3 = r10\nr3 += -72\ncall 113" },
            { "trace_printk", "", "*(u64 *)(r10 - 8) = 97\nr1 = r10\nr1 += -8\nr2 = 8\ncall 6" },
            {
                "timers",
                "",
                Timer
                    + """

                        r1 = r6
                        r2 = map[5] ll
                        r3 = 1
                        call 169
                        r1 = r6
                        r2 = function body ll
                        call 170
                        r1 = r6
                        r2 = 0
                        r3 = 0
                        call 171
                        r1 = r6
                        call 172
                        r1 = r6
                        r2 = function body ll
                        call 170
                        r1 = r6
                        r2 = 0
                        r3 = 0
                        call 171
                        """
            },
            { "spin_lock", "", Timer + "\nr1 = r6\nr1 += 16\ncall 93\nr1 = r6\nr1 += 16\ncall 94" },
            { "loop", "", "r1 = 10\nr2 = function body ll\nr3 = 0\nr4 = 0\ncall 181" },
            { "for_each_map_elem", "", "r1 = map[4] ll\nr2 = function body ll\nr3 = 0\nr4 = 0\ncall 164" },
            {
                "bpf_iter_num",
                "bpf_iter_num_new,bpf_iter_num_next,bpf_iter_num_destroy",
                """
                    r1 = r10
                    r1 += -16
                    r2 = 0
                    r3 = 10
                    call kfunc[0]
                    next:
                    r1 = r10
                    r1 += -16
                    call kfunc[1]
                    if r0 != 0 goto next
                    r1 = r10
                    r1 += -16
                    call kfunc[2]
                    """
            },
            {
                "inner maps",
                "",
                """
                    r1 = map[7] ll
                    r2 = r10
                    r2 += -72
                    call 1
                    if r0 == 0 goto out
                    r1 = r0
                    r2 = r10
                    r2 += -72
                    call 1
                    """
            },
            {
                "map_update_elem and map_delete_elem",
                "",
                "r1 = map[6] ll\nr2 = r10\nr2 += -8\nr3 = r10\nr3 += -72\nr4 = 0\ncall 2\nr1 = map[6] ll\nr2 = r10\nr2 += -8\ncall 3"
            },
            { "bpf_cast_to_kern_ctx", "bpf_cast_to_kern_ctx", "r1 = r6\ncall kfunc[0]\nr0 = *(u64 *)(r0 + 0)" },
            {
                "bpf_xdp_metadata_rx_timestamp",
                "bpf_xdp_metadata_rx_timestamp",
                "r1 = r6\nr2 = r10\nr2 += -8\ncall kfunc[0]"
            },
        };

    [Theory, MemberData(nameof(Calls))]
    public void WhatProgramsCallAllocatesNothing(string what, string kfuncs, string calls)
    {
        var text = $"""
            r6 = r1
            {string.Concat(Enumerable.Range(1, 9).Select(slot => $"*(u64 *)(r10 - {8 * slot}) = 0\n"))}
            {calls}
            out:
            r0 = 2
            exit
            {(calls.Contains("body", StringComparison.Ordinal) ? "body:\nr0 = 0\nexit" : "")}
            """;
        var maps = s_maps.Add(Format());
        var spec = TestPrograms.Assemble(text, what) with
        {
            Kfuncs =
            [
                .. kfuncs
                    .Split(',', StringSplitOptions.RemoveEmptyEntries)
                    .Select(name => new KfuncReference(name, 0, IsWeak: false)),
            ],
        };
        Assert.SkipWhen(
            kfuncs.Contains("kern_ctx", StringComparison.Ordinal) && TargetKernel.Running.Types is null,
            "the running kernel does not show its types"
        );
        var verified = Verifier.Verify(
            spec,
            maps,
            new VerifierOptions { License = "GPL", Kernel = TargetKernel.Running }
        );
        ImmutableArray<Map> live = [.. maps.Select(map => (Map)MapFactory.Create(map))];
        using var inner = MapFactory.Create(s_maps[7].Inner!);
        Assert.Equal(0, ((IMapOfMaps)live[7]).SetMap([0, 0, 0, 0], inner));
        ((PerfEventArrayMap)live[1]).OpenAll();
        using var program = IlCompiler.Compile(verified, live);
        using var packet = new TestPacket(new byte[64]);
        try
        {
            RingbufConsumer consumer = static _ => { };
            var passed = true;
            Allocation.ExpectNone(() =>
            {
                for (var round = 0; round < Rounds; round++)
                {
                    passed &= packet.Run(program) == 2;
                    TimerQueue.RunDue(packet.Runtime);
                    ((RingbufMap)live[0]).Consume(consumer);
                }
            });
            Assert.True(passed);
        }
        finally
        {
            TimerQueue.Free(packet.Runtime);
            foreach (var map in live)
            {
                map.Dispose();
            }
        }
    }

    private static MapSpec Format() =>
        MapOf(".rodata", MapType.Array, 4, 8, 1) with
        {
            Flags = MapFlags.ReadOnlyProgram,
            IsFrozen = true,
            InitialValue = [(byte)'a', 0, 0, 0, 0, 0, 0, 0],
        };

    private static MapSpec MapOf(string name, MapType type, uint key, uint value, uint entries) =>
        new()
        {
            Name = name,
            Type = type,
            KeySize = key,
            ValueSize = value,
            MaxEntries = entries,
        };
}
