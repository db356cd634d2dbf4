using System.Numerics;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Maps;

/// <summary>
/// What the kernel asks of a map's definition before it makes the map (<c>map_alloc_check</c> and <c>map_alloc</c> of each
/// type). Where the kernel answers with an error number the message says it, and what is wrong.
/// </summary>
internal static class MapChecks
{
    // The greatest kmalloc: the kernel's limit on keys and values.
    private const uint MaxAllocation = 4 << 20;

    // MAX_BPF_STACK: a key must fit a program's stack.
    private const uint MaxStack = 512;

    // The default of the sysctl kernel.perf_event_max_stack.
    private const uint MaxFrames = 127;

    // PCPU_MIN_UNIT_SIZE: the greatest per-CPU allocation.
    private const uint MaxPerCpuValue = 32 << 10;

    private const MapFlags Access =
        MapFlags.ReadOnly | MapFlags.WriteOnly | MapFlags.ReadOnlyProgram | MapFlags.WriteOnlyProgram;

    /// <summary>What holds for all types.</summary>
    internal static void AnyType(MapSpec spec)
    {
        Require(
            spec,
            spec.Extra == 0 || spec.Type == MapType.BloomFilter,
            "EINVAL",
            "map_extra has no meaning for this type"
        );
        foreach (var special in spec.SpecialFields)
        {
            Require(
                spec,
                Takes(spec.Type, special.Kind),
                "EOPNOTSUPP",
                $"its values have a {special.Kind} at offset {special.Offset}, which this type does not take"
            );
        }
        // map_check_btf: programs could not write around them.
        Require(
            spec,
            spec.SpecialFields.IsEmpty
                || (spec.Flags & (MapFlags.ReadOnlyProgram | MapFlags.WriteOnlyProgram)) == MapFlags.None,
            "EACCES",
            "values with fields of the kernel's cannot be read-only or write-only for programs"
        );
    }

    // map_check_btf
    private static bool Takes(MapType type, SpecialFieldKind kind) =>
        kind switch
        {
            SpecialFieldKind.SpinLock or SpecialFieldKind.ResilientSpinLock => type is MapType.Hash or MapType.Array
                || IsLocalStorage(type),
            SpecialFieldKind.Timer or SpecialFieldKind.Workqueue or SpecialFieldKind.TaskWork => type
                is MapType.Hash
                    or MapType.LruHash
                    or MapType.Array,
            SpecialFieldKind.Kptr or SpecialFieldKind.UntrustedKptr or SpecialFieldKind.ReferenceCount => type
                is MapType.Hash
                    or MapType.PercpuHash
                    or MapType.LruHash
                    or MapType.LruPercpuHash
                    or MapType.Array
                    or MapType.PercpuArray
                || IsLocalStorage(type),
            _ => type is MapType.Hash or MapType.LruHash or MapType.Array,
        };

    private static bool IsLocalStorage(MapType type) =>
        type is MapType.SkStorage or MapType.InodeStorage or MapType.TaskStorage or MapType.CgrpStorage;

    internal static void Array(MapSpec spec) => Array(spec, MapFlags.Mmapable | MapFlags.InnerMap);

    internal static void PercpuArray(MapSpec spec)
    {
        PerCpuValue(spec);
        Array(spec, MapFlags.None);
    }

    internal static void ProgramArray(MapSpec spec)
    {
        Require(spec, spec.ValueSize == 4, "EINVAL", "value_size must be 4");
        Array(spec, MapFlags.None);
        Require(
            spec,
            (spec.Flags & (MapFlags.ReadOnlyProgram | MapFlags.WriteOnlyProgram)) == MapFlags.None,
            "EINVAL",
            "a prog array cannot be read-only or write-only for programs"
        );
    }

    internal static void Hash(MapSpec spec) => Hash(spec, MapFlags.NoPrealloc);

    internal static void PercpuHash(MapSpec spec)
    {
        Hash(spec, MapFlags.NoPrealloc);
        PerCpuValue(spec);
    }

    internal static void LruHash(MapSpec spec)
    {
        Require(
            spec,
            !spec.Flags.HasFlag(MapFlags.NoPrealloc),
            "ENOTSUPP",
            "an LRU hash is always preallocated: BPF_F_NO_PREALLOC is not for it"
        );
        Hash(spec, MapFlags.NoCommonLru);
    }

    internal static void LruPercpuHash(MapSpec spec)
    {
        LruHash(spec);
        PerCpuValue(spec);
    }

    internal static void LpmTrie(MapSpec spec)
    {
        Entries(spec);
        Flags(spec, MapFlags.NoPrealloc | MapFlags.NumaNode | Access);
        Require(
            spec,
            spec.Flags.HasFlag(MapFlags.NoPrealloc),
            "EINVAL",
            "an LPM trie must have the flag BPF_F_NO_PREALLOC"
        );
        Require(
            spec,
            spec.KeySize is >= 5 and <= 260,
            "EINVAL",
            "key_size must be 5 to 260: 4 bytes of prefix length and 1 to 256 of data"
        );
        Require(
            spec,
            spec.ValueSize >= 1 && spec.ValueSize <= MaxAllocation - 256 - 24,
            "EINVAL",
            $"value_size must be 1 to {MaxAllocation - 256 - 24}"
        );
    }

    internal static void ArrayOfMaps(MapSpec spec)
    {
        Require(spec, spec.ValueSize == 4, "EINVAL", "value_size must be 4");
        Array(spec, MapFlags.None);
        Template(spec);
        Require(
            spec,
            (spec.Flags & (MapFlags.ReadOnlyProgram | MapFlags.WriteOnlyProgram)) == MapFlags.None,
            "EINVAL",
            "an array of maps cannot be read-only or write-only for programs"
        );
    }

    internal static void HashOfMaps(MapSpec spec)
    {
        Require(spec, spec.ValueSize == 4, "EINVAL", "value_size must be 4");
        Hash(spec, MapFlags.NoPrealloc);
        Template(spec);
    }

    internal static void PerfEventArray(MapSpec spec)
    {
        Require(spec, spec.ValueSize == 4, "EINVAL", "value_size must be 4");
        Array(spec, MapFlags.PreserveElements);
        Require(
            spec,
            (spec.Flags & (MapFlags.ReadOnlyProgram | MapFlags.WriteOnlyProgram)) == MapFlags.None,
            "EINVAL",
            "a perf event array cannot be read-only or write-only for programs"
        );
    }

    internal static void Ringbuf(MapSpec spec)
    {
        Flags(spec, MapFlags.NumaNode);
        NoKey(spec);
        Require(spec, spec.ValueSize == 0, "EINVAL", "value_size must be 0");
        Require(
            spec,
            BitOperations.IsPow2(spec.MaxEntries) && spec.MaxEntries % RingbufHeader.PageSize == 0,
            "EINVAL",
            $"max_entries, the size in bytes, must be a power of two and a multiple of the page size {RingbufHeader.PageSize}"
        );
    }

    internal static void Queue(MapSpec spec)
    {
        Entries(spec);
        Flags(spec, MapFlags.NumaNode | Access);
        NoKey(spec);
        Require(spec, spec.ValueSize != 0, "EINVAL", "value_size must not be 0");
        Require(spec, spec.ValueSize <= MaxAllocation, "E2BIG", "value_size is too large");
    }

    internal static void BloomFilter(MapSpec spec)
    {
        Require(spec, spec.ValueSize <= MaxAllocation, "E2BIG", "value_size is too large");
        Entries(spec);
        Flags(spec, MapFlags.NumaNode | Access | MapFlags.ZeroSeed);
        NoKey(spec);
        Require(spec, spec.ValueSize != 0, "EINVAL", "value_size must not be 0");
        Require(spec, spec.Extra <= 15, "EINVAL", "map_extra, the number of hash functions, must be at most 15");
    }

    internal static void Devmap(MapSpec spec)
    {
        Entries(spec);
        Flags(spec, MapFlags.NumaNode | MapFlags.ReadOnly | MapFlags.WriteOnly);
        Require(spec, spec.KeySize == 4, "EINVAL", "key_size must be 4");
        Require(spec, spec.ValueSize is 4 or 8, "EINVAL", "value_size must be 4 or 8");
    }

    internal static void Cpumap(MapSpec spec)
    {
        Entries(spec);
        Flags(spec, MapFlags.NumaNode);
        Require(spec, spec.KeySize == 4, "EINVAL", "key_size must be 4");
        Require(spec, spec.ValueSize is 4 or 8, "EINVAL", "value_size must be 4 or 8");
        Require(
            spec,
            spec.MaxEntries <= Maps.Cpumap.MaxCpus,
            "E2BIG",
            $"max_entries must be at most {Maps.Cpumap.MaxCpus}"
        );
    }

    internal static void Xskmap(MapSpec spec)
    {
        Entries(spec);
        Flags(spec, MapFlags.NumaNode | MapFlags.ReadOnly | MapFlags.WriteOnly);
        Require(spec, spec.KeySize == 4, "EINVAL", "key_size must be 4");
        Require(spec, spec.ValueSize == 4, "EINVAL", "value_size must be 4");
    }

    internal static void Sockmap(MapSpec spec)
    {
        Entries(spec);
        Flags(spec, MapFlags.NumaNode | MapFlags.ReadOnly | MapFlags.WriteOnly);
        Require(spec, spec.KeySize == 4, "EINVAL", "key_size must be 4");
        Require(spec, spec.ValueSize is 4 or 8, "EINVAL", "value_size must be 4 or 8");
    }

    internal static void Sockhash(MapSpec spec)
    {
        Entries(spec);
        Flags(spec, MapFlags.NumaNode | MapFlags.ReadOnly | MapFlags.WriteOnly);
        Require(spec, spec.KeySize != 0, "EINVAL", "key_size must not be 0");
        Require(spec, spec.ValueSize is 4 or 8, "EINVAL", "value_size must be 4 or 8");
        Require(spec, spec.KeySize <= MaxStack, "E2BIG", $"key_size must be at most {MaxStack}");
    }

    internal static void ReuseportSockarray(MapSpec spec)
    {
        Require(spec, spec.ValueSize is 4 or 8, "EINVAL", "value_size must be 4 or 8");
        Array(spec, MapFlags.None);
    }

    internal static void CgroupArray(MapSpec spec)
    {
        Require(spec, spec.ValueSize == 4, "EINVAL", "value_size must be 4");
        Array(spec, MapFlags.None);
        Require(
            spec,
            (spec.Flags & (MapFlags.ReadOnlyProgram | MapFlags.WriteOnlyProgram)) == MapFlags.None,
            "EINVAL",
            "a cgroup array cannot be read-only or write-only for programs"
        );
    }

    internal static void StackTrace(MapSpec spec)
    {
        Entries(spec);
        Flags(spec, MapFlags.NumaNode | MapFlags.ReadOnly | MapFlags.WriteOnly | MapFlags.StackBuildId);
        Require(spec, spec.KeySize == 4, "EINVAL", "key_size must be 4");
        var frame = spec.Flags.HasFlag(MapFlags.StackBuildId) ? 32u : 8u;
        Require(
            spec,
            spec.ValueSize >= 8 && spec.ValueSize % frame == 0 && spec.ValueSize / frame <= MaxFrames,
            "EINVAL",
            $"value_size must be a multiple of {frame}, for at most {MaxFrames} frames"
        );
    }

    /// <summary>Storage of sockets, tasks, inodes and cgroups (<c>bpf_local_storage_map_alloc_check</c>).</summary>
    internal static void LocalStorage(MapSpec spec)
    {
        Flags(spec, MapFlags.NoPrealloc | MapFlags.Clone);
        Require(spec, spec.Flags.HasFlag(MapFlags.NoPrealloc), "EINVAL", "must have the flag BPF_F_NO_PREALLOC");
        Require(spec, spec.MaxEntries == 0, "EINVAL", "max_entries must be 0");
        Require(spec, spec.KeySize == 4, "EINVAL", "key_size must be 4");
        Require(spec, spec.ValueSize != 0, "EINVAL", "value_size must not be 0");
        Require(
            spec,
            spec.BtfKeyType != 0 && spec.BtfValueType != 0,
            "EINVAL",
            "its key and value must have BTF types"
        );
    }

    private static void Array(MapSpec spec, MapFlags flags)
    {
        Entries(spec);
        Flags(spec, MapFlags.NumaNode | Access | flags);
        Require(spec, spec.KeySize == 4, "EINVAL", "key_size must be 4");
        Require(spec, spec.ValueSize != 0, "EINVAL", "value_size must not be 0");
        Require(spec, spec.ValueSize <= int.MaxValue - 7, "E2BIG", "value_size is too large");
        Require(
            spec,
            spec.InitialValue.Length <= spec.ValueSize,
            "EINVAL",
            $"has {spec.InitialValue.Length} bytes of initial value, more than value_size {spec.ValueSize}"
        );
    }

    private static void Hash(MapSpec spec, MapFlags flags)
    {
        Entries(spec);
        Flags(spec, MapFlags.NumaNode | Access | MapFlags.ZeroSeed | flags);
        Require(spec, spec.KeySize != 0, "EINVAL", "key_size must not be 0");
        Require(spec, spec.ValueSize != 0, "EINVAL", "value_size must not be 0");
        Require(
            spec,
            (ulong)spec.KeySize + spec.ValueSize < MaxAllocation - 48,
            "E2BIG",
            "key_size and value_size together are too large"
        );
        Require(spec, spec.MaxEntries <= 1u << 31, "E2BIG", "max_entries must be at most 2^31");
    }

    // bpf_map_meta_alloc: what the maps in it are like is said by one that could be made.
    private static void Template(MapSpec spec)
    {
        if (spec.Inner is not { } inner)
        {
            throw Refusal(spec, "EINVAL", "its definition does not say what the maps in it are like");
        }
        Require(spec, inner.Inner is null, "EINVAL", "a map in a map of maps cannot be a map of maps itself");
        Require(
            spec,
            inner.Type != MapType.ProgArray,
            "ENOTSUPP",
            $"maps of type {inner.Type} cannot be in a map of maps"
        );
        var type =
            MapTypeTable.Find(inner.Type)
            ?? throw new InputException($"map {inner.Name}", null, $"maps of type {inner.Type} are not supported");
        type.Check(inner);
    }

    private static void PerCpuValue(MapSpec spec)
    {
        Require(
            spec,
            !spec.Flags.HasFlag(MapFlags.NumaNode),
            "EINVAL",
            "a per-CPU map has no NUMA node of its own: BPF_F_NUMA_NODE is not for it"
        );
        Require(
            spec,
            spec.ValueSize <= MaxPerCpuValue,
            "E2BIG",
            $"value_size of a per-CPU map must be at most {MaxPerCpuValue}"
        );
    }

    private static void NoKey(MapSpec spec) => Require(spec, spec.KeySize == 0, "EINVAL", "key_size must be 0");

    private static void Entries(MapSpec spec) =>
        Require(spec, spec.MaxEntries != 0, "EINVAL", "max_entries must not be 0");

    private static void Flags(MapSpec spec, MapFlags allowed)
    {
        var wrong = spec.Flags & ~allowed;
        Require(spec, wrong == MapFlags.None, "EINVAL", $"map_flags 0x{(uint)wrong:x} ({wrong}) are not for this type");
        const MapFlags both = MapFlags.ReadOnlyProgram | MapFlags.WriteOnlyProgram;
        Require(
            spec,
            (spec.Flags & both) != both
                && BitOperations.PopCount((uint)(spec.Flags & (MapFlags.ReadOnly | MapFlags.WriteOnly))) < 2,
            "EINVAL",
            "cannot be both read-only and write-only"
        );
    }

    private static void Require(MapSpec spec, bool holds, string error, string reason)
    {
        if (!holds)
        {
            throw Refusal(spec, error, reason);
        }
    }

    private static InputException Refusal(MapSpec spec, string error, string reason) =>
        new($"map {spec.Name}", null, $"{reason} (type {spec.Type}; the kernel answers {error})");
}
