using System.Buffers.Binary;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Verification;

/// <summary>
/// Checks loads, stores and atomic instructions, after the kernel's <c>check_mem_access</c>: the context, the packet, map
/// values and other memory here, the stack in <see cref="StackChecker"/>, kernel structures in <see cref="StructureChecker"/>.
/// </summary>
internal sealed class MemoryChecker(VerifierEnvironment environment)
{
    /// <summary>Helpers may not be given more than this at once (<c>BPF_MAX_VAR_SIZ</c>).</summary>
    public const ulong MaxSize = 1 << 29;

    private readonly StackChecker _stack = new(environment);
    private readonly StructureChecker _structures = new(environment);

    /// <summary>A load, sign-extending ones among them.</summary>
    public void CheckLoad(Instruction instruction)
    {
        var isSigned = instruction.MemoryMode == MemoryMode.MemSx;
        var value = Load(instruction, instruction.Source, isSigned);
        environment.Registers[instruction.Destination] = value;
    }

    /// <summary>A store of a register or an immediate.</summary>
    public void CheckStore(Instruction instruction)
    {
        if (instruction.Class == InstructionClass.Stx)
        {
            environment.Read(instruction.Source);
        }
        Store(instruction, instruction.Class == InstructionClass.Stx ? instruction.Source : -1);
    }

    /// <summary>An atomic instruction.</summary>
    public void CheckAtomic(Instruction instruction)
    {
        var operation = (AtomicOperation)instruction.Immediate;
        environment.Read(instruction.Source);
        if (operation == AtomicOperation.LoadAcquire)
        {
            CheckAtomicPointer(instruction, instruction.Source);
            environment.Registers[instruction.Destination] = Load(instruction, instruction.Source, isSigned: false);
            return;
        }
        environment.Read(instruction.Destination);
        CheckAtomicPointer(instruction, instruction.Destination);
        if (operation == AtomicOperation.StoreRelease)
        {
            Store(instruction, instruction.Source);
            return;
        }
        if (operation == AtomicOperation.CompareExchange)
        {
            environment.Read(0);
        }
        ref readonly var pointer = ref environment.Registers[instruction.Destination];
        var size = instruction.AccessSize;
        var before = RegisterState.Unknown;
        if (pointer.Type == RegisterType.Stack)
        {
            environment.NoteRegion(MemoryRegion.Stack);
            before = _stack.ReadAndWrite(pointer, instruction.Offset, size);
        }
        else
        {
            CheckAtomicObject(pointer, instruction.Offset, size);
        }
        if (operation.HasFlag(AtomicOperation.Fetch))
        {
            var result = operation == AtomicOperation.CompareExchange ? 0 : instruction.Source;
            if (before.IsScalar)
            {
                before.Bounds.ZeroExtend(size);
            }
            environment.Registers[result] = before;
        }
    }

    /// <summary>Memory that a helper or kfunc is given in a register: as much of it as it may access.</summary>
    /// <param name="register">The register's number.</param>
    /// <param name="size">Bytes; where the size is not constant, the most it can be.</param>
    /// <param name="access">What the function does with it.</param>
    /// <param name="fillsAll">True when it writes every byte.</param>
    /// <param name="allowsPacket">True when it may be the packet.</param>
    public void CheckCallMemory(int register, int size, MemoryAccess access, bool fillsAll, bool allowsPacket)
    {
        ref readonly var pointer = ref environment.Registers[register];
        switch (pointer.Kind)
        {
            case RegisterType.Stack when access == MemoryAccess.Write:
                _stack.CheckCallWrite(pointer, size, fillsAll);
                break;
            case RegisterType.Stack:
                _stack.CheckCallRead(pointer, size, access == MemoryAccess.ReadWrite);
                break;
            case RegisterType.MapValue or RegisterType.MapKey when !pointer.MayBeNull:
                CheckMapEntry(pointer, 0, size, access, field: null);
                break;
            case RegisterType.Memory when !pointer.MayBeNull && !pointer.Type.Has(RegisterType.Untrusted):
                CheckSized(pointer, 0, size, access);
                break;
            case RegisterType.Packet or RegisterType.PacketMeta when !allowsPacket:
                throw environment.Reject(
                    $"r{register} points to the packet, which this helper does not take",
                    "copy the bytes to a variable on the stack first"
                );
            case RegisterType.Packet or RegisterType.PacketMeta:
                CheckPacket(pointer, 0, size, Verb(access));
                break;
            default:
                throw environment.Reject(
                    $"r{register} is {pointer.Describe()}, but the helper expects a pointer to memory (stack, map value or packet)",
                    pointer.MayBeNull ? "compare it with NULL first, and go on only where it is not" : null
                );
        }
    }

    private RegisterState Load(Instruction instruction, int register, bool isSigned)
    {
        ref readonly var pointer = ref environment.Read(register);
        var size = instruction.AccessSize;
        RegisterState value;
        switch (pointer.Type)
        {
            case RegisterType.Context:
                environment.NoteRegion(MemoryRegion.Context);
                value = LoadFromContext(pointer, instruction.Offset, size, isSigned);
                break;
            case RegisterType.Stack:
                environment.NoteRegion(MemoryRegion.Stack);
                value = _stack.Read(pointer, instruction.Offset, size);
                break;
            case RegisterType.Packet or RegisterType.PacketMeta:
                environment.NoteRegion(MemoryRegion.Packet);
                CheckPacket(pointer, instruction.Offset, size, "reads");
                value = RegisterState.Unknown;
                break;
            case RegisterType.MapValue or RegisterType.MapKey:
                environment.NoteRegion(MemoryRegion.MapValue);
                value = LoadFromMap(pointer, instruction, isSigned);
                break;
            case RegisterType.XdpSocket or RegisterType.Socket or RegisterType.SocketCommon or RegisterType.TcpSocket:
                environment.NoteRegion(MemoryRegion.Socket);
                CheckSocket(pointer, instruction.Offset, size);
                value = RegisterState.Unknown;
                break;
            default:
                value = LoadFromObject(register, pointer, instruction, isSigned);
                break;
        }
        if (value.IsScalar && size < 8)
        {
            Extend(ref value, size, isSigned);
        }
        return value;
    }

    private static void Extend(ref RegisterState value, int size, bool isSigned)
    {
        if (!isSigned)
        {
            value.Bounds.ZeroExtend(size);
            return;
        }
        if (value.Bounds.Max >= 1ul << ((size * 8) - 1))
        {
            // Not the number that was stored, if its sign bit was set.
            value.ClearId();
        }
        value.Bounds.SignExtend(size);
    }

    private void Store(Instruction instruction, int stored)
    {
        ref readonly var pointer = ref environment.Read(instruction.Destination);
        var size = instruction.AccessSize;
        switch (pointer.Type)
        {
            case RegisterType.Stack:
                environment.NoteRegion(MemoryRegion.Stack);
                _stack.Write(pointer, instruction.Offset, size, stored);
                break;
            case RegisterType.Packet or RegisterType.PacketMeta:
                environment.NoteRegion(MemoryRegion.Packet);
                CheckPacket(pointer, instruction.Offset, size, "writes");
                break;
            case RegisterType.MapValue or RegisterType.MapKey:
                environment.NoteRegion(MemoryRegion.MapValue);
                CheckMapEntry(pointer, instruction.Offset, size, MemoryAccess.Write, field: null);
                break;
            case RegisterType.Context:
                throw environment.Reject("writes to the context (struct xdp_md), which is read-only");
            case var type when type.Kind() == RegisterType.Memory && !pointer.MayBeNull:
                environment.NoteRegion(MemoryRegion.Memory);
                CheckSized(pointer, instruction.Offset, size, MemoryAccess.Write);
                break;
            case RegisterType.Btf or (RegisterType.Btf | RegisterType.Trusted):
                environment.NoteRegion(MemoryRegion.Probed);
                _structures.CheckStore(pointer, instruction.Offset, size);
                break;
            default:
                throw RejectAccess(instruction.Destination, pointer, "writes to");
        }
    }

    private RegisterState LoadFromObject(int register, in RegisterState pointer, Instruction instruction, bool isSigned)
    {
        if (pointer.Kind == RegisterType.Memory && !pointer.MayBeNull)
        {
            var isUntrusted = pointer.Type.Has(RegisterType.Untrusted);
            environment.NoteRegion(isUntrusted ? MemoryRegion.Probed : MemoryRegion.Memory);
            if (!isUntrusted)
            {
                CheckSized(pointer, instruction.Offset, instruction.AccessSize, MemoryAccess.Read);
            }
            return RegisterState.Unknown;
        }
        if (pointer.Kind == RegisterType.Btf && !pointer.MayBeNull && !pointer.Type.Has(RegisterType.Percpu))
        {
            environment.NoteRegion(MemoryRegion.Probed);
            var value = _structures.Load(pointer, instruction.Offset, instruction.AccessSize);
            return isSigned && !value.IsScalar
                ? throw environment.Reject("a pointer is read from a kernel structure with sign extension")
                : value;
        }
        throw RejectAccess(register, pointer, "reads from");
    }

    private VerificationException RejectAccess(int register, in RegisterState pointer, string verb) =>
        environment.Reject(
            $"{verb} r{register}, which is {pointer.Describe()}",
            pointer.Type switch
            {
                _ when pointer.MayBeNull => "compare it with NULL first, and go on only where it is not",
                RegisterType.PacketEnd => "data_end only marks the end: access the packet through data",
                RegisterType.Scalar =>
                    "only pointers can be followed; they are only numbers after a helper that may move the packet (read data and data_end from the context again), and when what they point to was released",
                _ => null,
            }
        );

    /// <summary>The kernel's <c>xdp_is_valid_access</c>.</summary>
    private RegisterState LoadFromContext(in RegisterState pointer, int offset, int size, bool isSigned)
    {
        if (pointer.Offset != 0 || !pointer.Bounds.IsZero)
        {
            throw environment.Reject(
                $"reads from the context through a pointer that was moved by {pointer.DescribeOffset()}",
                "access fields of struct xdp_md directly"
            );
        }
        if (offset < 0 || offset >= XdpMd.Size || offset % 4 != 0 || size != 4)
        {
            throw environment.Reject(
                $"reads {size} bytes at offset {offset} of the context; struct xdp_md has six fields of 4 bytes, at 0 to 20"
            );
        }
        if (offset == XdpMd.EgressIfindex && environment.Program.AttachKind != AttachKind.Devmap)
        {
            throw environment.Reject(
                "egress_ifindex is read, which only programs on entries of a devmap have",
                "put the program in a section named xdp/devmap"
            );
        }
        var type = offset switch
        {
            XdpMd.Data => RegisterType.Packet,
            XdpMd.DataEnd => RegisterType.PacketEnd,
            XdpMd.DataMeta => RegisterType.PacketMeta,
            _ => RegisterType.Scalar,
        };
        if (type == RegisterType.Scalar)
        {
            return RegisterState.Unknown;
        }
        if (isSigned)
        {
            throw environment.Reject("a packet pointer is read from the context with sign extension");
        }
        return RegisterState.Pointer(type);
    }

    private void CheckSocket(in RegisterState pointer, int offset, int size)
    {
        if (pointer.Offset != 0 || !pointer.Bounds.IsZero || !SocketFields.IsReadable(pointer.Type, offset, size))
        {
            throw environment.Reject(
                $"reads {size} bytes at offset {pointer.DescribeOffset(offset)} of {SocketFields.NameOf(pointer.Type)}, where it has no such field"
            );
        }
    }

    private void CheckPacket(in RegisterState pointer, int offset, int size, string verb)
    {
        if (pointer.Bounds.SignedMin < 0)
        {
            throw environment.Reject(
                $"{verb} the packet at an offset that may be negative ({pointer.Bounds})",
                "use an unsigned variable, or check that it is not below 0"
            );
        }
        var first = (long)pointer.Offset + offset;
        var proved = Math.Max(pointer.Range, 0);
        if (first >= 0 && first + size <= proved)
        {
            return;
        }
        var (what, end) = pointer.Type == RegisterType.Packet ? ("packet", "data_end") : ("packet's metadata", "data");
        if (first < 0)
        {
            throw environment.Reject($"{verb} the {what} at offset {first}, before its start");
        }
        var place = pointer.Bounds.IsZero ? "" : ", from a pointer moved by a variable,";
        throw environment.Reject(
            $"{verb} bytes {first} to {first + size - 1} of the {what}{place} but only {proved} are proved to be there",
            pointer.Bounds.Max > BranchChecker.MaxPacketOffset
                ? $"the variable offset may be as large as {pointer.Bounds.Max}: bound it to {BranchChecker.MaxPacketOffset} or less before the comparison with {end}"
                : $"before this, compare the same pointer plus {first + size} with {end}, and go on only where it is not above"
        );
    }

    /// <summary>A value or key of a map: its bounds, the map's flags, and the fields that belong to the kernel.</summary>
    /// <param name="pointer">Points to a value or key.</param>
    /// <param name="offset">Of the access.</param>
    /// <param name="size">Of the access.</param>
    /// <param name="access">What is done.</param>
    /// <param name="field">The one field that belongs to the kernel and may be accessed so; null for none.</param>
    private void CheckMapEntry(in RegisterState pointer, int offset, int size, MemoryAccess access, SpecialField? field)
    {
        var map = environment.Maps[pointer.Map];
        if (pointer.Type == RegisterType.MapKey)
        {
            if (access != MemoryAccess.Read)
            {
                throw environment.Reject($"writes to a key of map '{map.Name}', which is read-only");
            }
            CheckRange(pointer, offset, size, (int)map.KeySize, access, $"a key of map '{map.Name}'");
            return;
        }
        if (access != MemoryAccess.Read && MapRules.IsReadOnlyForPrograms(map))
        {
            throw environment.Reject($"writes to map '{map.Name}', which is read-only for programs");
        }
        if (access != MemoryAccess.Write && map.Flags.HasFlag(MapFlags.WriteOnlyProgram))
        {
            throw environment.Reject($"reads from map '{map.Name}', which is write-only for programs");
        }
        CheckRange(pointer, offset, size, map.ValueSize, access, $"a value of map '{map.Name}'");
        foreach (var special in map.SpecialFields)
        {
            var first = pointer.Bounds.SignedMin + pointer.Offset + offset;
            var last = (long)pointer.Bounds.Max + pointer.Offset + offset + size;
            if (first < special.Offset + special.Size && special.Offset < last && special != field)
            {
                throw environment.Reject(
                    $"{Verb(access)} the {special.Kind} at offset {special.Offset} of a value of map '{map.Name}', which only helpers may access"
                );
            }
        }
    }

    /// <summary>Memory of a known size: a record, a slice, an argument.</summary>
    private void CheckSized(in RegisterState pointer, int offset, int size, MemoryAccess access)
    {
        if (access != MemoryAccess.Read && pointer.Type.Has(RegisterType.ReadOnly))
        {
            throw environment.Reject($"writes to {pointer.Describe()}");
        }
        CheckRange(pointer, offset, size, pointer.Size, access, pointer.Describe());
        if (access != MemoryAccess.Read && pointer.Buffer != 0)
        {
            // The stack where the slice may be is written, or is not.
            var buffer = RegisterState.Pointer(RegisterType.Stack);
            buffer.Frame = pointer.Frame;
            buffer.Offset = pointer.Buffer;
            _stack.CheckCallWrite(buffer, pointer.Size, fillsAll: false);
        }
    }

    /// <summary>The kernel's <c>check_mem_region_access</c>.</summary>
    private void CheckRange(
        in RegisterState pointer,
        int offset,
        int size,
        long length,
        MemoryAccess access,
        string what
    )
    {
        var variable = pointer.Bounds;
        var first = (Int128)variable.SignedMin + pointer.Offset + offset;
        if (first < 0)
        {
            throw environment.Reject(
                $"{Verb(access)} {what} at an offset that may be negative: {pointer.DescribeOffset(offset)}",
                "use an unsigned variable, or check that it is not below 0"
            );
        }
        var last = (Int128)variable.Max + pointer.Offset + offset + size;
        if (last > length || variable.Max >= PointerArithmetic.MaxOffset)
        {
            throw environment.Reject(
                $"{Verb(access)} {size} bytes at offset {pointer.DescribeOffset(offset)} of {what}, which has {length} bytes",
                variable.IsConstant ? null : "bound the index with a comparison or '&' before it is used"
            );
        }
    }

    private RegisterState LoadFromMap(in RegisterState pointer, Instruction instruction, bool isSigned)
    {
        var (offset, size) = (instruction.Offset, instruction.AccessSize);
        var field = pointer.Type == RegisterType.MapValue && !isSigned ? KernelPointerAt(pointer, offset, size) : null;
        CheckMapEntry(pointer, offset, size, MemoryAccess.Read, field);
        if (field is { Structure: { } structure })
        {
            return _structures.KernelPointer(structure);
        }
        return pointer.Type == RegisterType.MapValue ? LoadConstant(pointer, offset, size) : RegisterState.Unknown;
    }

    /// <summary>The kernel pointer that exactly the bytes accessed are.</summary>
    private SpecialField? KernelPointerAt(in RegisterState pointer, int offset, int size)
    {
        foreach (var field in environment.Maps[pointer.Map].SpecialFields)
        {
            if (
                field.Kind is SpecialFieldKind.Kptr or SpecialFieldKind.UntrustedKptr
                && size == field.Size
                && pointer.Bounds.IsConstant
                && (long)pointer.Bounds.Bits.Value + pointer.Offset + offset == field.Offset
            )
            {
                return field;
            }
        }
        return null;
    }

    /// <summary>What is read from a frozen map is as constant as the map.</summary>
    private RegisterState LoadConstant(in RegisterState pointer, int offset, int size)
    {
        var map = environment.Maps[pointer.Map];
        if (!MapRules.IsConstant(map) || !pointer.Bounds.IsConstant)
        {
            return RegisterState.Unknown;
        }
        var start = (int)((long)pointer.Bounds.Bits.Value + pointer.Offset + offset);
        if (start + size > map.InitialValue.Length)
        {
            return RegisterState.Unknown;
        }
        Span<byte> bytes = stackalloc byte[8];
        bytes.Clear();
        map.InitialValue.AsSpan(start, size).CopyTo(bytes);
        return RegisterState.Constant(BinaryPrimitives.ReadUInt64LittleEndian(bytes));
    }

    private void CheckAtomicObject(in RegisterState pointer, int offset, int size)
    {
        if (pointer.Type == RegisterType.MapValue)
        {
            environment.NoteRegion(MemoryRegion.MapValue);
            CheckMapEntry(pointer, offset, size, MemoryAccess.ReadWrite, field: null);
            return;
        }
        environment.NoteRegion(MemoryRegion.Memory);
        CheckSized(pointer, offset, size, MemoryAccess.ReadWrite);
    }

    /// <summary>Atomic instructions work on the stack and on map values, aligned.</summary>
    private void CheckAtomicPointer(Instruction instruction, int register)
    {
        ref readonly var pointer = ref environment.Registers[register];
        if (!IsAtomic(pointer))
        {
            throw environment.Reject(
                $"an atomic instruction on r{register}, which is {pointer.Describe()}; only the stack, map values and records can be accessed atomically"
            );
        }
        var size = instruction.AccessSize;
        if (!pointer.Place(instruction.Offset).IsAligned((ulong)size))
        {
            throw environment.Reject(
                $"an atomic instruction on {size} bytes at offset {pointer.DescribeOffset(instruction.Offset)}, which is not a multiple of {size}"
            );
        }
    }

    private static bool IsAtomic(in RegisterState pointer) =>
        pointer.Type is RegisterType.Stack or RegisterType.MapValue
        || (pointer.Kind == RegisterType.Memory && !pointer.MayBeNull && !pointer.Type.Has(RegisterType.Untrusted));

    private static string Verb(MemoryAccess access) => access == MemoryAccess.Read ? "reads" : "writes";
}
