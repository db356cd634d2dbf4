using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Maps;

/// <summary>
/// A live LRU hash map or LRU per-CPU hash map (kernel/bpf/hashtab.c): full, it makes room by evicting what was not looked
/// up for long, in batches and roughly, as the kernel's. Look-ups by system call do not count as use.
/// </summary>
public sealed unsafe class LruHashMap : HashMapBase
{
    internal LruHashMap(MapSpec spec, MapOptions options)
        : base(RoundEntries(spec, options.CpuCount), options)
    {
        Reserve(LruStore.KeyOffset, extra: 0, isChunked: false);
        ReserveLists();
        Operations = BindStore<LruStore>();
    }

    /// <inheritdoc/>
    public override Type Operations { get; }

    private protected override int ControlCpu => IsPerCpu ? PercpuElement.AllCpus : 0;

    internal override int Take(ReadOnlySpan<byte> key, Span<byte> value) => TakeElement(key, value);

    // With a list per CPU all lists are of one length: the entries are rounded up to a multiple of the CPUs
    // (htab_map_alloc).
    private static MapSpec RoundEntries(MapSpec spec, int cpuCount)
    {
        if (!spec.Flags.HasFlag(MapFlags.NoCommonLru))
        {
            return spec;
        }
        var cpus = (uint)cpuCount;
        var rounded = ((ulong)spec.MaxEntries + cpus - 1) / cpus * cpus;
        return spec with { MaxEntries = rounded <= uint.MaxValue ? (uint)rounded : spec.MaxEntries / cpus * cpus };
    }

    private void ReserveLists()
    {
        var lru = &Table->Lru;
        var perCpu = Spec.Flags.HasFlag(MapFlags.NoCommonLru);
        var cpus = (uint)CpuCount;
        var sets = perCpu ? cpus : 1;
        var firstHead = Table->Pool.Last + 1;
        lru->Nodes = (LruNode*)Memory.Reserve(((UInt128)firstHead + (sets * 3) + (cpus * 2)) * (uint)sizeof(LruNode));
        lru->Sets = (LruSet*)Memory.Reserve((UInt128)sets * (uint)sizeof(LruSet));
        lru->Target = perCpu ? Lru.PerCpuBatch : Math.Clamp(Spec.MaxEntries / cpus / 2, 1, Lru.CommonBatch);
        lru->Scans = perCpu ? Lru.PerCpuBatch : Lru.CommonBatch;
        var perSet = Spec.MaxEntries / sets;
        for (var i = 0u; i < sets; i++)
        {
            var set = lru->Sets + i;
            set->Heads = firstHead + (i * 3);
            MakeHeads(set->Heads, 3);
            set->NextInactive = set->Heads + (uint)LruList.Inactive;
            set->FirstUnused = 1 + (i * perSet);
            set->LastUnused = (i + 1) * perSet;
        }
        if (perCpu)
        {
            return;
        }
        lru->Locals = (LruLocal*)Memory.Reserve((UInt128)cpus * (uint)sizeof(LruLocal));
        for (var i = 0u; i < cpus; i++)
        {
            lru->Locals[i].Heads = firstHead + (sets * 3) + (i * 2);
            lru->Locals[i].NextSteal = (int)i;
            MakeHeads(lru->Locals[i].Heads, 2);
        }
    }

    private void MakeHeads(uint first, uint count)
    {
        for (var head = first; head < first + count; head++)
        {
            Table->Lru.Nodes[head] = new LruNode { Previous = head, Next = head };
        }
    }

    private protected override Type Bind<TKey, TStore>()
    {
        Table->Find = &HashTable<TKey, TStore>.FindIndex;
        Table->Remove = &HashTable<TKey, TStore>.RemoveKey;
        Table->Evict = &HashTable<TKey, TStore>.RemoveElement;
        if (IsPerCpu)
        {
            Table->Update = &LruPercpuHashOperations<TKey>.Update;
            Table->Delete = &LruPercpuHashOperations<TKey>.DeleteElement;
            return Initialize<LruPercpuHashOperations<TKey>>(Header);
        }
        Table->Update = &LruHashOperations<TKey>.Update;
        Table->Delete = &LruHashOperations<TKey>.DeleteElement;
        return Initialize<LruHashOperations<TKey>>(Header);
    }
}
