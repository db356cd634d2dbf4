using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// What all live maps have in common: the native header, and the checks that the <c>bpf()</c> system call makes before it
/// turns to the map's type.
/// </summary>
public abstract unsafe class NativeMap : Map
{
    private static int _lastId;

    private protected NativeMap(MapSpec spec, MapOptions options)
    {
        Spec = spec;
        CpuCount = options.CpuCount;
        Memory = new MapMemory(spec, options);
    }

    /// <inheritdoc/>
    public sealed override MapSpec Spec { get; }

    /// <inheritdoc/>
    public sealed override int CpuCount { get; }

    /// <inheritdoc/>
    public sealed override int SyscallValueSize =>
        IsPerCpu ? checked((int)ValueStride * CpuCount) : (int)Spec.ValueSize;

    /// <summary>True for maps whose entries have a value for each CPU.</summary>
    public bool IsPerCpu => Spec.Type is MapType.PercpuArray or MapType.PercpuHash or MapType.LruPercpuHash;

    /// <summary>Bytes in the slot of one value: the value's size rounded up to 8.</summary>
    internal uint ValueStride => (Spec.ValueSize + 7) & ~7u;

    /// <summary>How many bytes of <see cref="MapOptions.MemoryLimit"/> it has not reserved.</summary>
    internal long MemoryLeft => Memory.Left;

    private protected MapMemory Memory { get; }

    /// <summary>
    /// Frozen maps (<c>BPF_MAP_FREEZE</c>: <c>.rodata</c>) do not change any more by system calls: <see cref="Update"/> and
    /// <see cref="Delete"/> give EPERM.
    /// </summary>
    public bool IsFrozen { get; private set; }

    /// <summary><c>BPF_MAP_FREEZE</c></summary>
    public void Freeze() => IsFrozen = true;

    /// <inheritdoc/>
    public sealed override int Lookup(ReadOnlySpan<byte> key, Span<byte> value) => Lookup(key, value, flags: 0);

    /// <summary><c>BPF_MAP_LOOKUP_ELEM</c> with flags, of which there is <see cref="UpdateFlags.Lock"/>: 0, or a negated error number.</summary>
    public int Lookup(ReadOnlySpan<byte> key, Span<byte> value, ulong flags)
    {
        CheckLength(key.Length, (int)Spec.KeySize, nameof(key));
        CheckLength(value.Length, SyscallValueSize, nameof(value));
        return (flags & ~UpdateFlags.Lock) != 0 ? -Errno.EINVAL
            : Spec.Flags.HasFlag(MapFlags.WriteOnly) ? -Errno.EPERM
            : LacksLock(flags) ? -Errno.EINVAL
            : Read(key, value, flags);
    }

    /// <inheritdoc/>
    public sealed override int Update(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags)
    {
        CheckLength(key.Length, (int)Spec.KeySize, nameof(key));
        CheckLength(value.Length, SyscallValueSize, nameof(value));
        if (IsReadOnly)
        {
            return -Errno.EPERM;
        }
        if (LacksLock(flags))
        {
            return -Errno.EINVAL;
        }
        var before = ElementWithTimer(key);
        var error = Write(key, value, flags);
        if (error == 0)
        {
            EndTimer(before);
            EndTimer(ElementWithTimer(key));
        }
        return error;
    }

    /// <inheritdoc/>
    public sealed override int Delete(ReadOnlySpan<byte> key)
    {
        CheckLength(key.Length, (int)Spec.KeySize, nameof(key));
        if (IsReadOnly)
        {
            return -Errno.EPERM;
        }
        var before = ElementWithTimer(key);
        var error = Remove(key);
        if (error == 0)
        {
            EndTimer(before);
        }
        return error;
    }

    /// <summary>
    /// <c>BPF_MAP_LOOKUP_AND_DELETE_ELEM</c>: pops from a queue or stack, takes an entry out of a hash map; 0, or a negated
    /// error number, ENOTSUPP for all other types.
    /// </summary>
    public int LookupAndDelete(ReadOnlySpan<byte> key, Span<byte> value, ulong flags = 0)
    {
        CheckLength(key.Length, (int)Spec.KeySize, nameof(key));
        CheckLength(value.Length, SyscallValueSize, nameof(value));
        return (flags & ~UpdateFlags.Lock) != 0 ? -Errno.EINVAL
            : IsReadOnly || Spec.Flags.HasFlag(MapFlags.WriteOnly) ? -Errno.EPERM
            : LacksLock(flags) ? -Errno.EINVAL
            : Take(key, value);
    }

    /// <inheritdoc/>
    public sealed override int GetNextKey(ReadOnlySpan<byte> key, Span<byte> next)
    {
        if (key.Length != 0)
        {
            CheckLength(key.Length, (int)Spec.KeySize, nameof(key));
        }
        CheckLength(next.Length, (int)Spec.KeySize, nameof(next));
        return Spec.Flags.HasFlag(MapFlags.WriteOnly) ? -Errno.EPERM : Next(key, next);
    }

    /// <summary>Look-up, whatever the access flags say; with <see cref="UpdateFlags.Lock"/>, while the value's lock is held.</summary>
    internal abstract int Read(ReadOnlySpan<byte> key, Span<byte> value, ulong flags);

    /// <summary>Update, whatever the access flags say and frozen or not.</summary>
    internal abstract int Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags);

    /// <summary>Deletion, whatever the access flags say.</summary>
    internal abstract int Remove(ReadOnlySpan<byte> key);

    /// <summary>Look-up and deletion at once, whatever the access flags say.</summary>
    internal virtual int Take(ReadOnlySpan<byte> key, Span<byte> value) => -Errno.ENOTSUPP;

    /// <summary>The next key, whatever the access flags say; an empty key asks for the first.</summary>
    internal abstract int Next(ReadOnlySpan<byte> key, Span<byte> next);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            if (HasTimer)
            {
                MapTimers.FreeAll(Header);
            }
            Memory.Dispose();
        }
    }

    /// <summary>Fills in a fresh header, with the operations of a type.</summary>
    /// <returns>The type, for <see cref="Map.Operations"/>.</returns>
    private protected Type Initialize<TOperations>(MapHeader* header)
        where TOperations : IMapOperations
    {
        foreach (var field in Spec.SpecialFields)
        {
            if (field.Kind == SpecialFieldKind.Timer)
            {
                HasTimer = true;
                header->TimerOffset = field.Offset;
            }
        }
        return HasTimer ? Fill<TimedOperations<TOperations>>(header) : Fill<TOperations>(header);
    }

    private Type Fill<TOperations>(MapHeader* header)
        where TOperations : IMapOperations
    {
        header->Type = Spec.Type;
        header->KeySize = Spec.KeySize;
        header->ValueSize = Spec.ValueSize;
        header->MaxEntries = Spec.MaxEntries;
        header->Flags = Spec.Flags;
        header->CpuCount = CpuCount;
        header->Id = (uint)Interlocked.Increment(ref _lastId);
        header->Fields = MakeFields();
        header->LookupElement = &TOperations.LookupElement;
        header->UpdateElement = &TOperations.UpdateElement;
        header->DeleteElement = &TOperations.DeleteElement;
        header->Redirect = &TOperations.Redirect;
        header->NextElement = &TOperations.NextElement;
        return typeof(TOperations);
    }

    private ValueFields* MakeFields()
    {
        if (Spec.SpecialFields.IsEmpty)
        {
            return null;
        }
        var fields = Memory.Reserve<ValueFields>();
        fields->Count = (uint)Spec.SpecialFields.Length;
        fields->Places = (uint*)Memory.Reserve((UInt128)fields->Count * 2 * sizeof(uint));
        fields->LockOffset = ValueFields.NoLock;
        for (var i = 0; i < Spec.SpecialFields.Length; i++)
        {
            var place = Spec.SpecialFields[i];
            fields->Places[2 * i] = place.Offset;
            fields->Places[(2 * i) + 1] = place.Size;
            if (place.Kind == SpecialFieldKind.SpinLock)
            {
                fields->LockOffset = place.Offset;
            }
        }
        return fields;
    }

    // BPF_F_LOCK is for values that hold a lock.
    private bool LacksLock(ulong flags) => (flags & UpdateFlags.Lock) != 0 && !HasSpinLock;

    /// <summary>True for maps whose values hold a lock.</summary>
    internal bool HasSpinLock => Spec.SpecialFields.Any(special => special.Kind == SpecialFieldKind.SpinLock);

    /// <summary>True when values have a timer.</summary>
    private bool HasTimer { get; set; }

    /// <summary>The value of a key in a map whose values have a timer; else null.</summary>
    private byte* ElementWithTimer(ReadOnlySpan<byte> key)
    {
        if (!HasTimer)
        {
            return null;
        }
        // Only per-CPU values ask which CPU it is, and those have no timers.
        var runtime = default(BpfRuntime);
        fixed (byte* bytes = key)
        {
            return Header->LookupElement(Header, &runtime, bytes);
        }
    }

    private void EndTimer(byte* value)
    {
        if (value is not null)
        {
            MapTimers.FreeIn(Header, value);
        }
    }

    private bool IsReadOnly => IsFrozen || Spec.Flags.HasFlag(MapFlags.ReadOnly);

    private static void CheckLength(int length, int expected, string name)
    {
        if (length != expected)
        {
            throw new ArgumentException($"has {length} bytes, the map's is {expected}", name);
        }
    }
}
