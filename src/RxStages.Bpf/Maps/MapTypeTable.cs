using System.Collections.Frozen;
using System.Collections.Immutable;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Maps;

/// <summary>
/// The table of all types of maps: adding one is an entry here, its control path and its operations. Types that are not
/// here are not supported: an object may define such maps, but no program may use them.
/// </summary>
public static class MapTypeTable
{
    // enum bpf_func_id: what programs may do with most maps that hold values.
    private const int Lookup = 1,
        Update = 2,
        Delete = 3,
        TailCall = 12,
        PerfEventRead = 22,
        PerfEventOutput = 25,
        RedirectMap = 51,
        PerfEventReadValue = 55,
        Push = 87,
        Pop = 88,
        Peek = 89,
        RingbufOutput = 130,
        RingbufReserve = 131,
        RingbufQuery = 134,
        ForEach = 164,
        TimerInit = 169,
        LookupPercpu = 195,
        RingbufReserveDynptr = 198;

    private static readonly ImmutableArray<int> Storage = [Lookup, Update, Delete, ForEach, TimerInit];
    private static readonly ImmutableArray<int> PercpuStorage = [.. Storage, LookupPercpu];

    private const string NoDescriptors =
        "Maps are put in as maps, or by name in a map file; there are no descriptors of maps that an update could give.";

    private const string OnlyDeclared =
        "May be declared beside XDP programs, which cannot use it in the kernel either; it stays empty.";

    private const string NoSockets = "It holds no sockets: look-ups find none, and programs cannot add any.";

    /// <summary>All types, by number.</summary>
    public static ImmutableArray<MapTypeDefinition> All { get; } =
    [
        new(
            MapType.Hash,
            "hash",
            MapChecks.Hash,
            (spec, options) => new HashMap(spec, options),
            "kernel/bpf/hashtab.c: htab_map_ops",
            "Entries by key, preallocated unless BPF_F_NO_PREALLOC is given."
        )
        {
            Helpers = Storage,
            Difference = "The order of keys is that in which they were added, not that of hashes.",
        },
        new(
            MapType.Array,
            "array",
            MapChecks.Array,
            (spec, options) => new ArrayMap(spec, options),
            "kernel/bpf/arraymap.c: array_map_ops",
            "Values by index, all there from the start; also what holds global data."
        )
        {
            Helpers = Storage,
            AlwaysFindsIndex = true,
        },
        new(
            MapType.ProgArray,
            "prog_array",
            MapChecks.ProgramArray,
            (spec, options) => new ProgramArrayMap(spec, options),
            "kernel/bpf/arraymap.c: prog_array_map_ops",
            "Programs by index, the targets of tail calls."
        )
        {
            Helpers = [TailCall],
        },
        new(
            MapType.PerfEventArray,
            "perf_event_array",
            MapChecks.PerfEventArray,
            (spec, options) => new PerfEventArrayMap(spec, options),
            "kernel/bpf/arraymap.c: perf_event_array_map_ops; kernel/events/ring_buffer.c",
            "Rings by index, one for each CPU as a rule, that take events for a reader."
        )
        {
            Helpers = [PerfEventOutput, PerfEventRead, PerfEventReadValue],
            Difference =
                "Readers open rings by the library's interface or an option of the command; there are no descriptors of perf events that an update could give.",
        },
        new(
            MapType.PercpuHash,
            "percpu_hash",
            MapChecks.PercpuHash,
            (spec, options) => new HashMap(spec, options),
            "kernel/bpf/hashtab.c: htab_percpu_map_ops",
            "Entries by key, with a value for each CPU."
        )
        {
            Helpers = PercpuStorage,
            Difference = "The order of keys is that in which they were added, not that of hashes.",
        },
        new(
            MapType.PercpuArray,
            "percpu_array",
            MapChecks.PercpuArray,
            (spec, options) => new ArrayMap(spec, options),
            "kernel/bpf/arraymap.c: percpu_array_map_ops",
            "Values by index, one for each CPU."
        )
        {
            Helpers = PercpuStorage,
            AlwaysFindsIndex = true,
        },
        new(
            MapType.StackTrace,
            "stack_trace",
            MapChecks.StackTrace,
            Declare,
            "kernel/bpf/stackmap.c: stack_trace_map_ops",
            "Stacks of calls, for tracing programs."
        )
        {
            Difference = OnlyDeclared,
        },
        new(
            MapType.CgroupArray,
            "cgroup_array",
            MapChecks.CgroupArray,
            Declare,
            "kernel/bpf/arraymap.c: cgroup_array_map_ops",
            "Cgroups by index, for programs that see sockets."
        )
        {
            Difference = OnlyDeclared,
        },
        new(
            MapType.LruHash,
            "lru_hash",
            MapChecks.LruHash,
            (spec, options) => new LruHashMap(spec, options),
            "kernel/bpf/hashtab.c: htab_lru_map_ops; kernel/bpf/bpf_lru_list.c",
            "Entries by key; a full map makes room by evicting what was not looked up for long."
        )
        {
            Helpers = Storage,
        },
        new(
            MapType.LruPercpuHash,
            "lru_percpu_hash",
            MapChecks.LruPercpuHash,
            (spec, options) => new LruHashMap(spec, options),
            "kernel/bpf/hashtab.c: htab_lru_percpu_map_ops; kernel/bpf/bpf_lru_list.c",
            "Entries by key, with a value for each CPU; a full map evicts what was not looked up for long."
        )
        {
            Helpers = PercpuStorage,
        },
        new(
            MapType.LpmTrie,
            "lpm_trie",
            MapChecks.LpmTrie,
            (spec, options) => new LpmTrieMap(spec, options),
            "kernel/bpf/lpm_trie.c: trie_map_ops",
            "Entries by prefix; a look-up finds the longest prefix that the key begins with."
        )
        {
            Helpers = [Lookup, Update, Delete],
        },
        new(
            MapType.ArrayOfMaps,
            "array_of_maps",
            MapChecks.ArrayOfMaps,
            (spec, options) => new ArrayOfMaps(spec, options),
            "kernel/bpf/arraymap.c: array_of_maps_map_ops; kernel/bpf/map_in_map.c",
            "Maps by index, all of one kind; programs look them up and use them."
        )
        {
            Helpers = [Lookup],
            Difference = NoDescriptors,
        },
        new(
            MapType.HashOfMaps,
            "hash_of_maps",
            MapChecks.HashOfMaps,
            (spec, options) => new HashOfMaps(spec, options),
            "kernel/bpf/hashtab.c: htab_of_maps_map_ops; kernel/bpf/map_in_map.c",
            "Maps by key, all of one kind; programs look them up and use them."
        )
        {
            Helpers = [Lookup],
            Difference = NoDescriptors,
        },
        new(
            MapType.Devmap,
            "devmap",
            MapChecks.Devmap,
            (spec, options) => new Devmap(spec, options),
            "kernel/bpf/devmap.c: dev_map_ops",
            "Interfaces by index, to redirect packets to."
        )
        {
            Helpers = [Lookup, RedirectMap],
            IsReadOnlyForPrograms = true,
            Difference = "Any interface index but 0 is taken, whether the machine has such an interface or not.",
        },
        new(
            MapType.Sockmap,
            "sockmap",
            MapChecks.Sockmap,
            Declare,
            "net/core/sock_map.c: sock_map_ops",
            "Sockets by index."
        )
        {
            Helpers = [Lookup, Delete],
            Difference = NoSockets,
        },
        new(
            MapType.Cpumap,
            "cpumap",
            MapChecks.Cpumap,
            (spec, options) => new Cpumap(spec, options),
            "kernel/bpf/cpumap.c: cpu_map_ops",
            "CPUs by index, to redirect packets to."
        )
        {
            Helpers = [RedirectMap],
        },
        new(
            MapType.Xskmap,
            "xskmap",
            MapChecks.Xskmap,
            (spec, options) => new Xskmap(spec, options),
            "net/xdp/xskmap.c: xsk_map_ops",
            "AF_XDP sockets by index, to redirect packets to."
        )
        {
            Helpers = [Lookup, RedirectMap],
            Difference =
                "An entry is a number, which the engine knows as its socket's and programs as its queue, and need not be a socket's descriptor.",
        },
        new(
            MapType.Sockhash,
            "sockhash",
            MapChecks.Sockhash,
            Declare,
            "net/core/sock_map.c: sock_hash_ops",
            "Sockets by key."
        )
        {
            Helpers = [Lookup, Delete],
            Difference = NoSockets,
        },
        new(
            MapType.ReuseportSockarray,
            "reuseport_sockarray",
            MapChecks.ReuseportSockarray,
            Declare,
            "kernel/bpf/reuseport_array.c: reuseport_array_ops",
            "Sockets by index, for programs that choose among those of a port."
        )
        {
            Difference = OnlyDeclared,
        },
        new(
            MapType.Queue,
            "queue",
            MapChecks.Queue,
            (spec, options) => new QueueMap(spec, options),
            "kernel/bpf/queue_stack_maps.c: queue_map_ops",
            "Values without keys, first in, first out."
        )
        {
            Helpers = [Push, Pop, Peek],
        },
        new(
            MapType.Stack,
            "stack",
            MapChecks.Queue,
            (spec, options) => new QueueMap(spec, options),
            "kernel/bpf/queue_stack_maps.c: stack_map_ops",
            "Values without keys, last in, first out."
        )
        {
            Helpers = [Push, Pop, Peek],
        },
        new(
            MapType.SkStorage,
            "sk_storage",
            MapChecks.LocalStorage,
            Declare,
            "net/core/bpf_sk_storage.c: sk_storage_map_ops",
            "Values of sockets."
        )
        {
            Difference = OnlyDeclared,
        },
        new(
            MapType.DevmapHash,
            "devmap_hash",
            MapChecks.Devmap,
            (spec, options) => new DevmapHash(spec, options),
            "kernel/bpf/devmap.c: dev_map_hash_ops",
            "Interfaces by any number, to redirect packets to."
        )
        {
            Helpers = [Lookup, RedirectMap],
            IsReadOnlyForPrograms = true,
            Difference = "Any interface index but 0 is taken, whether the machine has such an interface or not.",
        },
        new(
            MapType.Ringbuf,
            "ringbuf",
            MapChecks.Ringbuf,
            (spec, options) => new RingbufMap(spec, options),
            "kernel/bpf/ringbuf.c: ringbuf_map_ops",
            "Records of any length, from all CPUs in one order, for a reader."
        )
        {
            Helpers = [RingbufOutput, RingbufReserve, RingbufQuery, RingbufReserveDynptr],
        },
        new(
            MapType.InodeStorage,
            "inode_storage",
            MapChecks.LocalStorage,
            Declare,
            "kernel/bpf/bpf_inode_storage.c: inode_storage_map_ops",
            "Values of inodes."
        )
        {
            Difference = OnlyDeclared,
        },
        new(
            MapType.TaskStorage,
            "task_storage",
            MapChecks.LocalStorage,
            Declare,
            "kernel/bpf/bpf_task_storage.c: task_storage_map_ops",
            "Values of tasks."
        )
        {
            Difference = OnlyDeclared,
        },
        new(
            MapType.BloomFilter,
            "bloom_filter",
            MapChecks.BloomFilter,
            (spec, options) => new BloomFilterMap(spec, options),
            "kernel/bpf/bloom_filter.c: bloom_filter_map_ops",
            "A set that tells for certain what was not added to it."
        )
        {
            Helpers = [Push, Peek],
            Difference = "The hashes are not the kernel's: other values than there are taken for members.",
        },
        new(
            MapType.CgrpStorage,
            "cgrp_storage",
            MapChecks.LocalStorage,
            Declare,
            "kernel/bpf/bpf_cgrp_storage.c: cgrp_storage_map_ops",
            "Values of cgroups."
        )
        {
            Difference = OnlyDeclared,
        },
    ];

    private static readonly FrozenDictionary<MapType, MapTypeDefinition> ByType = All.ToFrozenDictionary(definition =>
        definition.Type
    );

    /// <summary>The entry of a type, or null if it is not supported.</summary>
    public static MapTypeDefinition? Find(MapType type) => ByType.GetValueOrDefault(type);

    private static NativeMap Declare(MapSpec spec, MapOptions options) => new DeclaredMap(spec, options);
}
