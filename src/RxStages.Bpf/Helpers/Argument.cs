namespace RxStages.Bpf.Helpers;

/// <summary>One argument of a helper or kfunc: its type, and what the type leaves open.</summary>
/// <param name="Type">What is expected.</param>
public readonly record struct Argument(ArgumentType Type)
{
    /// <summary>For memory of a fixed size: how many bytes.</summary>
    public int Size { get; init; }

    /// <summary>For memory of a fixed size: true when its address must be a multiple of the size (<c>MEM_ALIGNED</c>).</summary>
    public bool IsAligned { get; init; }

    /// <summary>For pointers to kernel structures and iterators: the structure's name in the kernel's BTF.</summary>
    public string? BtfType { get; init; }

    /// <summary>For dynptrs: of which kinds.</summary>
    public DynptrKinds Dynptr { get; init; }

    /// <summary>For functions: how they are called.</summary>
    public CallbackKind Callback { get; init; }

    /// <summary>True when null may be given instead (<c>__nullable</c>, <c>__opt</c>).</summary>
    public bool MayBeNull { get; init; }

    /// <summary>An argument of which the type says all.</summary>
    public static implicit operator Argument(ArgumentType type) => new(type);

    /// <summary>Initialised memory of a fixed size.</summary>
    public static Argument ReadableBytes(int size) => new(ArgumentType.ReadableFixedSize) { Size = size };

    /// <summary>Memory of a fixed size that the call fills.</summary>
    public static Argument WritableBytes(int size) => new(ArgumentType.WritableFixedSize) { Size = size };

    /// <summary>Initialised memory of a fixed size that the call reads and writes.</summary>
    public static Argument UpdatedBytes(int size) => new(ArgumentType.UpdatedFixedSize) { Size = size };

    /// <summary>A trusted pointer to a kernel structure.</summary>
    public static Argument Structure(string btfType) => new(ArgumentType.BtfPointer) { BtfType = btfType };
}

/// <summary>Kinds of dynptrs (<c>enum bpf_dynptr_type</c>), as a set.</summary>
[Flags]
public enum DynptrKinds
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary><c>BPF_DYNPTR_TYPE_LOCAL</c>: a map value.</summary>
    Local = 1,

    /// <summary><c>BPF_DYNPTR_TYPE_RINGBUF</c>: a record of a ring buffer, to be submitted or discarded.</summary>
    Ringbuf = 2,

    /// <summary><c>BPF_DYNPTR_TYPE_XDP</c>: the packet.</summary>
    Xdp = 4,

    /// <summary>Any kind.</summary>
    Any = Local | Ringbuf | Xdp,
}

/// <summary>How a function of the program is called back: with which arguments, how often, and what it may return.</summary>
public enum CallbackKind
{
    /// <summary>It is no callback.</summary>
    None = 0,

    /// <summary><c>bpf_loop</c>: index and context; 0 goes on, 1 ends the loop.</summary>
    Loop,

    /// <summary><c>bpf_for_each_map_elem</c>: map, key, value and context; 0 goes on, 1 ends.</summary>
    ForEachMapElement,

    /// <summary><c>bpf_timer_set_callback</c>: map, key and value; called later; returns 0.</summary>
    Timer,

    /// <summary><c>bpf_user_ringbuf_drain</c>: a dynptr and context.</summary>
    UserRingbufDrain,
}
