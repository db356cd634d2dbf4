using System.Globalization;
using RxStages.Bpf.Objects;

namespace RxStages.Linux.KernelBpf;

/// <summary>
/// A map in the kernel. Element operations answer as <see cref="RxStages.Bpf.Maps.Map"/> does: 0, or a negated error
/// number.
/// </summary>
public sealed unsafe class KernelMap : IDisposable
{
    private readonly FileDescriptor _descriptor;

    private KernelMap(FileDescriptor descriptor, MapSpec spec)
    {
        _descriptor = descriptor;
        Spec = spec;
    }

    /// <summary>How many CPUs there may ever be: the number of values that an element of a per-CPU map has.</summary>
    public static int PossibleCpus { get; } = ReadPossibleCpus();

    /// <summary>What the map was made from.</summary>
    public MapSpec Spec { get; }

    /// <summary>Bytes in a value as the system call sees it; for per-CPU maps those of all possible CPUs, each rounded up to 8.</summary>
    public int SyscallValueSize =>
        IsPerCpu ? (int)((Spec.ValueSize + 7) & ~7u) * PossibleCpus : checked((int)Spec.ValueSize);

    /// <summary>True when each CPU has a value of its own.</summary>
    public bool IsPerCpu => Spec.Type is MapType.PercpuArray or MapType.PercpuHash or MapType.LruPercpuHash;

    internal FileDescriptor Descriptor => _descriptor;

    /// <summary>Makes a map (<c>BPF_MAP_CREATE</c>), without BTF and empty.</summary>
    /// <param name="spec">What to make.</param>
    /// <param name="inner">For maps of maps: a map like those that it will hold.</param>
    /// <exception cref="KernelBpfException">The kernel refused.</exception>
    public static KernelMap Create(MapSpec spec, KernelMap? inner = null) => Create(spec, inner, types: null);

    /// <summary>
    /// Makes a map with the types of keys and values, which say where its values hold locks and timers. Where the kernel
    /// does not take them (a type of map that has none) the map is made without, as libbpf does it.
    /// </summary>
    internal static KernelMap Create(MapSpec spec, KernelMap? inner, KernelBtf? types)
    {
        if (types is null || spec is { BtfKeyType: 0, BtfValueType: 0 })
        {
            return new KernelMap(Open(spec, inner, types: null), spec);
        }
        try
        {
            return new KernelMap(Open(spec, inner, types), spec);
        }
        catch (KernelBpfException)
        {
            return new KernelMap(Open(spec, inner, types: null), spec);
        }
    }

    private static FileDescriptor Open(MapSpec spec, KernelMap? inner, KernelBtf? types)
    {
        var attributes = new MapCreateAttributes
        {
            MapType = (uint)spec.Type,
            KeySize = spec.KeySize,
            ValueSize = spec.ValueSize,
            MaxEntries = spec.MaxEntries,
            MapFlags = (uint)spec.Flags,
            NumaNode = spec.NumaNode,
            MapExtra = spec.Extra,
            InnerMapFd = (uint)(inner?._descriptor.Number ?? 0),
            BtfFd = (uint)(types?.Descriptor.Number ?? 0),
            BtfKeyTypeId = types is null ? 0 : (uint)spec.BtfKeyType,
            BtfValueTypeId = types is null ? 0 : (uint)spec.BtfValueType,
        };
        BpfSystemCall.WriteName(ref attributes.Name, spec.Name);
        var descriptor = BpfSystemCall.Open(
            BpfCommand.MapCreate,
            ref attributes,
            $"create map {spec.Name} ({spec.Type}, key {spec.KeySize}, value {spec.ValueSize}, {spec.MaxEntries} entries)"
        );
        GC.KeepAlive(inner);
        GC.KeepAlive(types);
        return descriptor;
    }

    /// <summary><c>BPF_MAP_LOOKUP_ELEM</c>: 0, or a negated error number.</summary>
    public int Lookup(ReadOnlySpan<byte> key, Span<byte> value, ulong flags = 0) =>
        Get(BpfCommand.MapLookupElement, key, value, flags);

    /// <summary><c>BPF_MAP_LOOKUP_AND_DELETE_ELEM</c>: 0, or a negated error number.</summary>
    public int LookupAndDelete(ReadOnlySpan<byte> key, Span<byte> value, ulong flags = 0) =>
        Get(BpfCommand.MapLookupAndDeleteElement, key, value, flags);

    private int Get(BpfCommand command, ReadOnlySpan<byte> key, Span<byte> value, ulong flags)
    {
        CheckLength(key.Length, (int)Spec.KeySize, nameof(key));
        CheckLength(value.Length, SyscallValueSize, nameof(value));
        fixed (
            byte* k = key,
                v = value
        )
        {
            return Operate(command, k, v, flags);
        }
    }

    /// <summary><c>BPF_MAP_UPDATE_ELEM</c>: 0, or a negated error number.</summary>
    public int Update(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags)
    {
        CheckLength(key.Length, (int)Spec.KeySize, nameof(key));
        CheckLength(value.Length, SyscallValueSize, nameof(value));
        fixed (
            byte* k = key,
                v = value
        )
        {
            return Operate(BpfCommand.MapUpdateElement, k, v, flags);
        }
    }

    /// <summary><c>BPF_MAP_DELETE_ELEM</c>: 0, or a negated error number.</summary>
    public int Delete(ReadOnlySpan<byte> key)
    {
        CheckLength(key.Length, (int)Spec.KeySize, nameof(key));
        fixed (byte* k = key)
        {
            return Operate(BpfCommand.MapDeleteElement, k, null, 0);
        }
    }

    /// <summary><c>BPF_MAP_GET_NEXT_KEY</c>: 0, or a negated error number; an empty <paramref name="key"/> asks for the first.</summary>
    public int GetNextKey(ReadOnlySpan<byte> key, Span<byte> next)
    {
        if (!key.IsEmpty)
        {
            CheckLength(key.Length, (int)Spec.KeySize, nameof(key));
        }
        CheckLength(next.Length, (int)Spec.KeySize, nameof(next));
        fixed (
            byte* k = key,
                n = next
        )
        {
            return Operate(BpfCommand.MapGetNextKey, k, n, 0);
        }
    }

    /// <summary>Puts a map into a map of maps: 0, or a negated error number.</summary>
    public int SetMap(ReadOnlySpan<byte> key, KernelMap inner, ulong flags)
    {
        var error = Update(key, BitConverter.GetBytes(inner._descriptor.Number), flags);
        GC.KeepAlive(inner);
        return error;
    }

    /// <summary>Puts a program into a prog array.</summary>
    /// <exception cref="KernelBpfException">The kernel refused.</exception>
    public void SetProgram(uint index, KernelProgram program)
    {
        var descriptor = program.Descriptor.Number;
        var result = Operate(BpfCommand.MapUpdateElement, (byte*)&index, (byte*)&descriptor, 0);
        GC.KeepAlive(program);
        if (result != 0)
        {
            throw new KernelBpfException($"put program {program.Spec.Name} into {Spec.Name}[{index}]", -result);
        }
    }

    /// <summary>Puts a map into a map of maps.</summary>
    /// <exception cref="KernelBpfException">The kernel refused.</exception>
    public void SetMap(ReadOnlySpan<byte> key, KernelMap inner)
    {
        var descriptor = inner._descriptor.Number;
        var result = Update(key, new ReadOnlySpan<byte>(&descriptor, sizeof(int)), 0);
        GC.KeepAlive(inner);
        if (result != 0)
        {
            throw new KernelBpfException($"put map {inner.Spec.Name} into {Spec.Name}", -result);
        }
    }

    /// <summary>
    /// <c>BPF_MAP_FREEZE</c>: no system call can write it any more. With <see cref="MapFlags.ReadOnlyProgram"/> the verifier
    /// then takes its contents as constants.
    /// </summary>
    /// <exception cref="KernelBpfException">The kernel refused.</exception>
    public void Freeze()
    {
        var attributes = new MapFreezeAttributes { MapFd = (uint)_descriptor.Number };
        var result = BpfSystemCall.Invoke(BpfCommand.MapFreeze, ref attributes);
        if (result != 0)
        {
            throw new KernelBpfException($"freeze map {Spec.Name}", -result);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _descriptor.Dispose();

    private int Operate(BpfCommand command, byte* key, byte* value, ulong flags)
    {
        ObjectDisposedException.ThrowIf(_descriptor.IsClosed, this);
        var attributes = new MapElementAttributes
        {
            MapFd = (uint)_descriptor.Number,
            Key = (ulong)key,
            Value = (ulong)value,
            Flags = flags,
        };
        var result = BpfSystemCall.Invoke(command, ref attributes);
        GC.KeepAlive(_descriptor);
        return result;
    }

    // The kernel copies as many bytes as the map says, whatever the caller has room for.
    private static void CheckLength(int length, int expected, string name)
    {
        if (length != expected)
        {
            throw new ArgumentException($"{length} bytes where the map has {expected}", name);
        }
    }

    // "0-3" or "0,2-3": the last number is the highest possible CPU.
    private static int ReadPossibleCpus()
    {
        const string Path = "/sys/devices/system/cpu/possible";
        if (!File.Exists(Path))
        {
            return Environment.ProcessorCount;
        }
        var text = File.ReadAllText(Path).Trim();
        return int.Parse(text[(text.LastIndexOfAny(['-', ',']) + 1)..], CultureInfo.InvariantCulture) + 1;
    }
}
