using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>
/// Helpers about the current task. XDP programs run in interrupts, so that this is whatever was interrupted; here it is
/// always the idle task of the worker's CPU, in the root cgroup.
/// </summary>
internal static unsafe class TaskHelpers
{
    private const string AlwaysIdle = "The current task is always the idle task.";
    private const ulong RootCgroup = 1;

    // sizeof(struct bpf_perf_event_value)
    private const uint PerfEventValueSize = 24;

    // BPF_F_INDEX_MASK, of which all bits are set for the current CPU.
    private const ulong IndexMask = uint.MaxValue;

    internal static readonly ImmutableArray<HelperDefinition> Definitions =
    [
        new(
            14,
            "get_current_pid_tgid",
            ReturnType.Integer,
            [],
            Zero,
            "kernel/bpf/helpers.c: bpf_get_current_pid_tgid",
            "The current task's process and thread number: 0."
        )
        {
            Difference = AlwaysIdle,
        },
        new(
            15,
            "get_current_uid_gid",
            ReturnType.Integer,
            [],
            Zero,
            "kernel/bpf/helpers.c: bpf_get_current_uid_gid",
            "The current task's group and user: 0."
        )
        {
            Difference = AlwaysIdle,
        },
        new(
            16,
            "get_current_comm",
            ReturnType.Integer,
            [ArgumentType.WritableMemory, ArgumentType.Size],
            GetCurrentComm,
            "kernel/bpf/helpers.c: bpf_get_current_comm",
            "The current task's name, swapper/ and the CPU, cut to the size, terminated and filled up with zeros."
        )
        {
            Difference = AlwaysIdle,
        },
        new(
            17,
            "get_cgroup_classid",
            ReturnType.Integer,
            [],
            Zero,
            "net/core/filter.c: bpf_get_cgroup_classid_curr",
            "The class of the current task's network cgroup: 0."
        )
        {
            Difference = AlwaysIdle,
        },
        new(
            22,
            "perf_event_read",
            ReturnType.Integer,
            [ArgumentType.ConstMapPointer, ArgumentType.Anything],
            PerfEventRead,
            "kernel/trace/bpf_trace.c: bpf_perf_event_read",
            "The value of a hardware counter in a map: ENOENT, since there are none; E2BIG behind the map's end, EINVAL for flags."
        )
        {
            IsGplOnly = true,
            Difference = "Maps hold no hardware counters.",
        },
        new(
            35,
            "get_current_task",
            ReturnType.Integer,
            [],
            Zero,
            "kernel/bpf/helpers.c: bpf_get_current_task",
            "The address of the current task, as a number: 0, where probe_read_kernel finds nothing."
        )
        {
            IsGplOnly = true,
            Difference = "The current task has no address.",
        },
        new(
            37,
            "current_task_under_cgroup",
            ReturnType.Integer,
            [ArgumentType.ConstMapPointer, ArgumentType.Anything],
            CurrentTaskUnderCgroup,
            "kernel/bpf/cgroup.c: bpf_current_task_under_cgroup",
            "Whether the current task is in a cgroup of a map: EAGAIN, since maps hold none."
        )
        {
            Difference = "Maps of cgroups are not supported: programs with one are refused.",
        },
        new(
            55,
            "perf_event_read_value",
            ReturnType.Integer,
            [ArgumentType.ConstMapPointer, ArgumentType.Anything, ArgumentType.WritableMemory, ArgumentType.Size],
            PerfEventReadValue,
            "kernel/trace/bpf_trace.c: bpf_perf_event_read_value",
            "A hardware counter's value and times: zeros and ENOENT, since there are none; E2BIG behind the map's end, EINVAL for flags and wrong sizes."
        )
        {
            IsGplOnly = true,
            Difference = "Maps hold no hardware counters.",
        },
        new(
            80,
            "get_current_cgroup_id",
            ReturnType.Integer,
            [],
            GetCurrentCgroupId,
            "kernel/bpf/helpers.c: bpf_get_current_cgroup_id",
            "The number of the current task's cgroup: 1, the root's."
        )
        {
            Difference = AlwaysIdle,
        },
        new(
            109,
            "send_signal",
            ReturnType.Integer,
            [ArgumentType.Anything],
            SendSignal,
            "kernel/trace/bpf_trace.c: bpf_send_signal",
            "Sends the current process a signal: EPERM, as to every kernel thread."
        )
        {
            Difference = AlwaysIdle,
        },
        new(
            117,
            "send_signal_thread",
            ReturnType.Integer,
            [ArgumentType.Anything],
            SendSignal,
            "kernel/trace/bpf_trace.c: bpf_send_signal_thread",
            "Sends the current thread a signal: EPERM, as to every kernel thread."
        )
        {
            Difference = AlwaysIdle,
        },
        new(
            120,
            "get_ns_current_pid_tgid",
            ReturnType.Integer,
            [ArgumentType.Anything, ArgumentType.Anything, ArgumentType.WritableMemory, ArgumentType.Size],
            GetNamespacePid,
            "kernel/bpf/helpers.c: bpf_get_ns_current_pid_tgid",
            "The current task's numbers in a namespace: zeros and EINVAL, since it is in none."
        )
        {
            Difference = AlwaysIdle,
        },
        new(
            123,
            "get_current_ancestor_cgroup_id",
            ReturnType.Integer,
            [ArgumentType.Anything],
            GetCurrentAncestorCgroupId,
            "kernel/bpf/helpers.c: bpf_get_current_ancestor_cgroup_id",
            "The number of the cgroup above the current task's at a level: 1, the root's, at level 0, and 0 at others."
        )
        {
            Difference = AlwaysIdle,
        },
        new(
            176,
            "get_branch_snapshot",
            ReturnType.Integer,
            [ArgumentType.WritableMemory, ArgumentType.SizeOrZero, ArgumentType.Anything],
            GetBranchSnapshot,
            "kernel/trace/bpf_trace.c: bpf_get_branch_snapshot",
            "The CPU's last branches: ENOENT, as without such hardware; EINVAL for flags."
        )
        {
            IsGplOnly = true,
            Difference = "There is never such hardware.",
        },
    ];

    private static ulong Zero(BpfRuntime* runtime, ulong r1, ulong r2, ulong r3, ulong r4, ulong r5) => 0;

    private static ulong GetCurrentComm(BpfRuntime* runtime, ulong name, ulong size, ulong r3, ulong r4, ulong r5)
    {
        var target = new Span<byte>((byte*)name, (int)(uint)size);
        Span<byte> comm = stackalloc byte[24];
        "swapper/"u8.CopyTo(comm);
        runtime->Cpu.TryFormat(comm[8..], out var digits);
        comm = comm[..Math.Min(8 + digits, target.Length - 1)];
        comm.CopyTo(target);
        target[comm.Length..].Clear();
        return 0;
    }

    private static ulong PerfEventRead(BpfRuntime* runtime, ulong map, ulong flags, ulong r3, ulong r4, ulong r5) =>
        ReadCounter(runtime, (MapHeader*)map, flags);

    // get_map_perf_counter
    private static ulong ReadCounter(BpfRuntime* runtime, MapHeader* map, ulong flags)
    {
        if ((flags & ~IndexMask) != 0)
        {
            return Error(Errno.EINVAL);
        }
        var index = flags == IndexMask ? (ulong)runtime->Cpu : flags;
        return Error(index >= map->MaxEntries ? Errno.E2BIG : Errno.ENOENT);
    }

    private static ulong CurrentTaskUnderCgroup(
        BpfRuntime* runtime,
        ulong map,
        ulong index,
        ulong r3,
        ulong r4,
        ulong r5
    ) => Error(Errno.EAGAIN);

    private static ulong PerfEventReadValue(
        BpfRuntime* runtime,
        ulong map,
        ulong flags,
        ulong value,
        ulong size,
        ulong r5
    )
    {
        Unsafe.InitBlockUnaligned((byte*)value, 0, (uint)size);
        return (uint)size == PerfEventValueSize ? ReadCounter(runtime, (MapHeader*)map, flags) : Error(Errno.EINVAL);
    }

    private static ulong GetCurrentCgroupId(BpfRuntime* runtime, ulong r1, ulong r2, ulong r3, ulong r4, ulong r5) =>
        RootCgroup;

    private static ulong SendSignal(BpfRuntime* runtime, ulong signal, ulong r2, ulong r3, ulong r4, ulong r5) =>
        Error(Errno.EPERM);

    private static ulong GetNamespacePid(
        BpfRuntime* runtime,
        ulong device,
        ulong inode,
        ulong numbers,
        ulong size,
        ulong r5
    )
    {
        Unsafe.InitBlockUnaligned((byte*)numbers, 0, (uint)size);
        return Error(Errno.EINVAL);
    }

    private static ulong GetCurrentAncestorCgroupId(
        BpfRuntime* runtime,
        ulong level,
        ulong r2,
        ulong r3,
        ulong r4,
        ulong r5
    ) => (int)level == 0 ? RootCgroup : 0;

    private static ulong GetBranchSnapshot(
        BpfRuntime* runtime,
        ulong entries,
        ulong size,
        ulong flags,
        ulong r4,
        ulong r5
    ) => Error(flags != 0 ? Errno.EINVAL : Errno.ENOENT);

    private static ulong Error(int errno) => (ulong)-(long)errno;
}
