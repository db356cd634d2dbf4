using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>A live devmap hash (kernel/bpf/devmap.c): a <see cref="Devmap"/> whose keys are any numbers.</summary>
public sealed unsafe class DevmapHash : HashMapBase, IEntryPrograms
{
    private readonly EntryPrograms _programs = new();

    internal DevmapHash(MapSpec spec, MapOptions options)
        : base(spec, options)
    {
        Reserve(FlatStore.KeyOffset, extra: 1, isChunked: false);
        Table->Extra = (uint*)Memory.Reserve(sizeof(uint));
        *Table->Extra = 1;
        Operations = BindStore<FlatStore>();
    }

    /// <inheritdoc/>
    public override Type Operations { get; }

    /// <inheritdoc/>
    public int SetEntry(uint key, uint target, XdpProgram? program)
    {
        if (target == 0 || (program is not null && !Devmap.HasRoomFor(program, this)))
        {
            return -Errno.EINVAL;
        }
        var value = target | ((ulong)_programs.NumberOf(program) << 32);
        return (int)
            HashOperations<Key4, FlatStore>.Update(Table, ControlCpu, (byte*)&key, (byte*)&value, UpdateFlags.Any);
    }

    /// <inheritdoc/>
    public XdpProgram? GetProgram(uint key)
    {
        var value = (ulong*)HashOperations<Key4, FlatStore>.LookupElement(Header, null, (byte*)&key);
        return value is null ? null : _programs.Find((uint)(*value >> 32));
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _programs.Dispose();
        base.Dispose(disposing);
    }

    // The one extra element: only the control path updates.
    private protected override int ControlCpu => 0;

    private protected override Type Bind<TKey, TStore>()
    {
        Table->Find = &HashTable<TKey, TStore>.FindIndex;
        Table->Update = &Update;
        Table->Delete = &HashOperations<TKey, TStore>.DeleteElement;
        return Initialize<DevmapHashOperations>(Header);
    }

    private static long Update(HashHeader* map, int extra, byte* key, byte* value, ulong flags)
    {
        var bytes = new ReadOnlySpan<byte>(value, (int)map->Map.ValueSize);
        var interfaceIndex = *(uint*)value;
        if (flags > UpdateFlags.Exist || interfaceIndex == 0 || Devmap.HasProgram(bytes))
        {
            return -Errno.EINVAL;
        }
        // The kernel does not ask whether the key is there when told that it must be.
        ulong target = interfaceIndex;
        var how = flags == UpdateFlags.NoExist ? flags : UpdateFlags.Any;
        return HashOperations<Key4, FlatStore>.Update(map, extra, key, (byte*)&target, how);
    }
}
