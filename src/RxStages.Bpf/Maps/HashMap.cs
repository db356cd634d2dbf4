using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Maps;

/// <summary>A live hash map or per-CPU hash map (kernel/bpf/hashtab.c).</summary>
public sealed unsafe class HashMap : HashMapBase
{
    internal HashMap(MapSpec spec, MapOptions options)
        : base(spec, options)
    {
        var isChunked = spec.Flags.HasFlag(MapFlags.NoPrealloc);
        // Per-CPU values are written in place; others are replaced, each CPU and the control path with an element in hand.
        var extra = IsPerCpu ? 0 : (uint)CpuCount + 1;
        Reserve(FlatStore.KeyOffset, extra, isChunked);
        if (extra != 0)
        {
            Table->Extra = (uint*)Memory.Reserve((UInt128)extra * sizeof(uint));
            for (var i = 0u; i < extra; i++)
            {
                Table->Extra[i] = i + 1;
            }
        }
        Operations = isChunked ? BindStore<ChunkedStore>() : BindStore<FlatStore>();
    }

    /// <inheritdoc/>
    public override Type Operations { get; }

    private protected override int ControlCpu => IsPerCpu ? PercpuElement.AllCpus : CpuCount;

    internal override int Take(ReadOnlySpan<byte> key, Span<byte> value) => TakeElement(key, value);

    private protected override Type Bind<TKey, TStore>()
    {
        Table->Find = &HashTable<TKey, TStore>.FindIndex;
        Table->Remove = &HashTable<TKey, TStore>.RemoveKey;
        if (IsPerCpu)
        {
            Table->Update = &PercpuHashOperations<TKey, TStore>.Update;
            Table->Delete = &PercpuHashOperations<TKey, TStore>.DeleteElement;
            return Initialize<PercpuHashOperations<TKey, TStore>>(Header);
        }
        Table->Update = &HashOperations<TKey, TStore>.Update;
        Table->Delete = &HashOperations<TKey, TStore>.DeleteElement;
        return Initialize<HashOperations<TKey, TStore>>(Header);
    }
}
