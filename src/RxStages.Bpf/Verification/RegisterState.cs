namespace RxStages.Bpf.Verification;

/// <summary>What is known of one register, after the kernel's <c>struct bpf_reg_state</c>. Also of what was spilled to a stack slot.</summary>
internal struct RegisterState
{
    /// <summary>For scalars the number; for pointers the variable part of the offset.</summary>
    public ScalarBounds Bounds;

    /// <summary>
    /// For pointers the fixed part of the offset. For scalars whose <see cref="Id"/> has <see cref="AddConst"/> set: what was
    /// added to the number that the id stands for.
    /// </summary>
    public int Offset;

    /// <summary>
    /// Registers that share an id other than 0 share what is learnt of one of them: scalars are equal (but for
    /// <see cref="Offset"/>), packet pointers have the same variable offset, pointers that may be null are null together.
    /// </summary>
    public uint Id;

    /// <summary>
    /// The reference that it is, or was made from: void when that is released (<c>ref_obj_id</c>); 0 for none.
    /// </summary>
    public uint Reference;

    /// <summary>
    /// For memory that is part of a dynptr, and for a dynptr's stack slots: the dynptr (<c>dynptr_id</c>); 0 for none.
    /// </summary>
    public uint Dynptr;

    /// <summary>
    /// For maps with timers that were looked up in a map of maps, and their values: which of those maps (<c>map_uid</c>); 0 for
    /// others, and for those that a timer's function is given. It shares the field of <see cref="Dynptr"/>.
    /// </summary>
    public uint InnerMap
    {
        readonly get => Dynptr;
        set => Dynptr = value;
    }

    /// <summary>
    /// For packet pointers: bytes that are proved to lie before data_end (data, for metadata), counted from the pointer less
    /// <see cref="Offset"/>; or <see cref="AtPacketEnd"/>, <see cref="BeyondPacketEnd"/>.
    /// </summary>
    public int Range;

    /// <summary>
    /// For map pointers, keys and values: the map's index in <see cref="VerifierEnvironment.Maps"/>, where templates of inner
    /// maps stand behind the program's own.
    /// </summary>
    public int Map;

    /// <summary>For functions: the function's index. It shares the field of <see cref="Map"/>.</summary>
    public int Function
    {
        readonly get => Map;
        set => Map = value;
    }

    /// <summary>What it is.</summary>
    public RegisterType Type;

    /// <summary>For stack pointers, and slices that have a <see cref="Buffer"/>: the frame that the stack belongs to.</summary>
    public byte Frame;

    /// <summary>
    /// In states kept for pruning, for scalars: safety of some path from there relies on the number. Where it is not set,
    /// any number would have done.
    /// </summary>
    public bool IsPrecise;

    /// <summary>Flag in <see cref="Id"/> of a scalar that is <see cref="Offset"/> more than the others (<c>BPF_ADD_CONST</c>).</summary>
    public const uint AddConst = 1u << 31;

    /// <summary>A <see cref="Range"/>: not below the packet's end.</summary>
    public const int AtPacketEnd = -1;

    /// <summary>A <see cref="Range"/>: above the packet's end.</summary>
    public const int BeyondPacketEnd = -2;

    /// <summary>A scalar of which nothing is known.</summary>
    public static readonly RegisterState Unknown = Scalar(ScalarBounds.Unknown);

    /// <summary>A scalar.</summary>
    public static RegisterState Scalar(in ScalarBounds bounds) => new() { Type = RegisterType.Scalar, Bounds = bounds };

    /// <summary>A known number.</summary>
    public static RegisterState Constant(ulong value) => Scalar(ScalarBounds.Constant(value));

    /// <summary>A pointer to the start of what its type says.</summary>
    public static RegisterState Pointer(RegisterType type) => new() { Type = type, Bounds = ScalarBounds.Constant(0) };

    public readonly bool IsScalar => Type == RegisterType.Scalar;

    public readonly bool IsPointer => Type > RegisterType.Scalar;

    /// <summary>For memory: how many bytes it has.</summary>
    public int Size
    {
        readonly get => Range;
        set => Range = value;
    }

    /// <summary>For pointers to kernel structures: the type's id in the kernel's BTF.</summary>
    public int BtfType
    {
        readonly get => Map;
        set => Map = value;
    }

    /// <summary>
    /// For a slice of the packet that may be a copy in a buffer on the stack of <see cref="Frame"/>: the buffer's (negative)
    /// offset there; else 0. It shares the field of <see cref="Map"/>.
    /// </summary>
    public int Buffer
    {
        readonly get => Map;
        set => Map = value;
    }

    public readonly bool MayBeNull => Type.Has(RegisterType.MayBeNull);

    /// <summary>The kind of value, without modifiers.</summary>
    public readonly RegisterType Kind => Type.Kind();

    /// <summary>True for packet and packet metadata: pointers with a <see cref="Range"/>.</summary>
    public readonly bool IsPacket => Type is RegisterType.Packet or RegisterType.PacketMeta;

    /// <summary>True for pointers that are void once a helper has moved the packet's boundaries.</summary>
    public readonly bool IsVoidWhenPacketMoves =>
        IsPacket || Type == RegisterType.PacketEnd || Type.Has(RegisterType.PacketSlice);

    /// <summary>True when it is the number 0 (<c>register_is_null</c>).</summary>
    public readonly bool IsZero => IsScalar && Bounds.IsZero;

    /// <summary>
    /// True for pointers that are never 0 (<c>reg_not_null</c>). Offsets that lead out of the object count as unknown.
    /// </summary>
    public readonly bool IsNeverNull =>
        Type switch
        {
            RegisterType.Stack => true,
            RegisterType.MapPointer
            or RegisterType.MapValue
            or RegisterType.MapKey
            or RegisterType.XdpSocket
            or RegisterType.Socket
            or RegisterType.SocketCommon
            or RegisterType.TcpSocket
            or (RegisterType.Btf | RegisterType.Trusted) => Offset >= 0 && Bounds.SignedMin >= 0,
            _ => Kind == RegisterType.Memory && !MayBeNull && Offset >= 0 && Bounds.SignedMin >= 0,
        };

    /// <summary>The id without its flag.</summary>
    public readonly uint BaseId => Id & ~AddConst;

    /// <summary>Ends the relation to other registers.</summary>
    public void ClearId()
    {
        if (IsScalar)
        {
            Offset = 0;
        }
        Id = 0;
    }

    /// <summary>For pointers that RCU kept alive: it no longer does.</summary>
    public void DistrustRcu()
    {
        if (Type.Has(RegisterType.Rcu))
        {
            Type = (Type & ~(RegisterType.Rcu | RegisterType.MayBeNull)) | RegisterType.Untrusted;
            Id = 0;
        }
    }

    /// <summary>For pointers: what is known of the bits of the offset, fixed and variable part together.</summary>
    public readonly Tnum Place(int offset) => Bounds.Bits + Tnum.Constant((ulong)((long)Offset + offset));

    /// <summary>The offset, fixed and variable part together, as the messages give it.</summary>
    public readonly string DescribeOffset(int offset = 0) =>
        Bounds.IsConstant ? $"{(long)Bounds.Bits.Value + Offset + offset}" : $"{Offset + offset} + ({Bounds})";

    /// <summary>What it is, in words.</summary>
    public readonly string Describe() => Type.Describe();
}
