namespace RxStages.Bpf.Verification;

/// <summary>
/// What kind of value a register holds, after the kernel's <c>enum bpf_reg_type</c>: a kind, and modifiers that restrict
/// what may be done with it. A kind with a modifier is another type than the kind alone, so that what was not thought of is
/// not allowed.
/// </summary>
internal enum RegisterType : ushort
{
    /// <summary><c>NOT_INIT</c>: nothing that may be read.</summary>
    NotInitialized = 0,

    /// <summary><c>SCALAR_VALUE</c>: a number.</summary>
    Scalar,

    /// <summary><c>PTR_TO_CTX</c></summary>
    Context,

    /// <summary><c>CONST_PTR_TO_MAP</c></summary>
    MapPointer,

    /// <summary><c>PTR_TO_MAP_KEY</c>: the key that a callback gets.</summary>
    MapKey,

    /// <summary><c>PTR_TO_MAP_VALUE</c></summary>
    MapValue,

    /// <summary><c>PTR_TO_STACK</c></summary>
    Stack,

    /// <summary><c>PTR_TO_PACKET</c></summary>
    Packet,

    /// <summary><c>PTR_TO_PACKET_META</c></summary>
    PacketMeta,

    /// <summary><c>PTR_TO_PACKET_END</c></summary>
    PacketEnd,

    /// <summary><c>PTR_TO_XDP_SOCK</c>: the entry of an xskmap.</summary>
    XdpSocket,

    /// <summary><c>PTR_TO_SOCKET</c>: <c>struct bpf_sock</c>.</summary>
    Socket,

    /// <summary><c>PTR_TO_SOCK_COMMON</c>: <c>struct bpf_sock</c> of which only some fields may be read.</summary>
    SocketCommon,

    /// <summary><c>PTR_TO_TCP_SOCK</c>: <c>struct bpf_tcp_sock</c>.</summary>
    TcpSocket,

    /// <summary><c>PTR_TO_MEM</c>: so many bytes (<see cref="RegisterState.Size"/>).</summary>
    Memory,

    /// <summary><c>PTR_TO_BTF_ID</c>: a structure of the kernel's (<see cref="RegisterState.BtfType"/>).</summary>
    Btf,

    /// <summary><c>PTR_TO_FUNC</c>: a function of the program.</summary>
    Function,

    /// <summary><c>CONST_PTR_TO_DYNPTR</c>: a dynptr that a callback gets; of stack slots: part of a dynptr.</summary>
    Dynptr,

    /// <summary>Of stack slots only: part of an open-coded iterator.</summary>
    Iterator,

    /// <summary><c>PTR_MAYBE_NULL</c></summary>
    MayBeNull = 1 << 8,

    /// <summary><c>MEM_RDONLY</c></summary>
    ReadOnly = 1 << 9,

    /// <summary><c>MEM_RINGBUF</c>: a record reserved in a ring buffer, from its start.</summary>
    Ringbuf = 1 << 10,

    /// <summary><c>DYNPTR_TYPE_XDP</c>: part of the packet, void when the packet's boundaries move.</summary>
    PacketSlice = 1 << 11,

    /// <summary><c>PTR_TRUSTED</c>: what it points to lives as long as the pointer.</summary>
    Trusted = 1 << 12,

    /// <summary><c>PTR_UNTRUSTED</c>: may point to nothing; read only with care, and given to nobody.</summary>
    Untrusted = 1 << 13,

    /// <summary><c>MEM_RCU</c>: what it points to lives until the RCU region ends.</summary>
    Rcu = 1 << 14,

    /// <summary><c>MEM_PERCPU</c>: the address of a per-CPU variable, of no CPU's instance yet.</summary>
    Percpu = 1 << 15,

    /// <summary>The bits of the kind.</summary>
    KindMask = 0xff,

    /// <summary>The modifiers that say how far what is pointed to may be relied on.</summary>
    TrustMask = Trusted | Untrusted | Rcu,
}

/// <summary>Questions to register types.</summary>
internal static class RegisterTypes
{
    /// <summary>The kind, without modifiers (<c>base_type</c>).</summary>
    public static RegisterType Kind(this RegisterType type) => type & RegisterType.KindMask;

    /// <summary>True when a modifier is set.</summary>
    public static bool Has(this RegisterType type, RegisterType modifier) =>
        (type & modifier) != RegisterType.NotInitialized;

    /// <summary>What a type is, in words.</summary>
    public static string Describe(this RegisterType type) =>
        type.Has(RegisterType.MayBeNull) ? DescribeKind(type) + " that may be null" : DescribeKind(type);

    private static string DescribeKind(RegisterType type) =>
        type.Kind() switch
        {
            RegisterType.NotInitialized => "nothing (never written)",
            RegisterType.Scalar => "a number",
            RegisterType.Context => "the context",
            RegisterType.MapPointer => "a map",
            RegisterType.MapKey => "a pointer to a map key",
            RegisterType.MapValue => "a pointer to a map value",
            RegisterType.Stack => "a pointer to the stack",
            RegisterType.Packet => "a pointer to the packet",
            RegisterType.PacketMeta => "a pointer to the packet's metadata",
            RegisterType.PacketEnd => "the packet's end (data_end)",
            RegisterType.XdpSocket => "a pointer to an AF_XDP socket",
            RegisterType.Socket or RegisterType.SocketCommon => "a pointer to a socket",
            RegisterType.TcpSocket => "a pointer to a TCP socket",
            RegisterType.Memory when type.Has(RegisterType.Ringbuf) => "a pointer to a ring buffer's record",
            RegisterType.Memory when type.Has(RegisterType.ReadOnly) => "a pointer to read-only memory",
            RegisterType.Memory => "a pointer to memory",
            RegisterType.Btf when type.Has(RegisterType.Percpu) => "the address of a per-CPU variable of the kernel",
            RegisterType.Btf when type.Has(RegisterType.Untrusted) => "an untrusted pointer to a kernel structure",
            RegisterType.Btf => "a pointer to a kernel structure",
            RegisterType.Function => "a function's address",
            RegisterType.Dynptr => "a dynptr",
            _ => "an iterator",
        };
}
