using System.Collections.Immutable;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Network;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Interpretation;

/// <summary>What an instruction or a helper wants of memory.</summary>
internal enum Access
{
    /// <summary>To read it.</summary>
    Read,

    /// <summary>To write it.</summary>
    Write,

    /// <summary>To change it atomically, which the kernel does not let programs do to packets.</summary>
    Atomic,
}

/// <summary>
/// All memory that a running program may touch, by native address: its stack frames, its packet, the values of its maps,
/// or the one buffer of a program that has no packet. The context is not memory: its fields are translated.
/// </summary>
internal unsafe struct AddressSpace
{
    /// <summary>Bytes in a stack frame (<c>MAX_BPF_STACK</c>).</summary>
    public const int FrameSize = 512;

    /// <summary>How many functions may be active (<c>MAX_CALL_FRAMES</c>).</summary>
    public const int MaxFrames = 8;

    /// <summary>Bytes that the stack takes: behind each frame a gap, so that what overruns a frame is in none.</summary>
    public const int StackSize = MaxFrames * FrameDistance;

    private const int FrameDistance = 2 * FrameSize;

    /// <summary>The packet, or null.</summary>
    public XdpBuff* Packet;

    /// <summary>The program's maps.</summary>
    public ImmutableArray<Map> Maps;

    /// <summary>The buffer of a program without a packet.</summary>
    public byte* Buffer;

    /// <summary>The buffer's length.</summary>
    public ulong BufferLength;

    /// <summary>The key of the map's element that a function was called for, to be read only; or null.</summary>
    public byte* Key;

    /// <summary>Bytes in that key.</summary>
    public uint KeySize;

    /// <summary>What calls gave to the program; null in a program that has no helpers of XDP.</summary>
    public GrantedMemory Granted;

    /// <summary>The worker's surroundings, which have what else programs may read; null for nothing.</summary>
    public RuntimeServices? Services;

    /// <summary>The lowest byte of <see cref="StackSize"/> bytes.</summary>
    public byte* Stack;

    /// <summary>How many stack frames are active.</summary>
    public int Frames;

    /// <summary>What r10 is in a frame: the end of it. Frame 0 is the entry function's.</summary>
    public readonly ulong FramePointer(int frame) => (ulong)(Stack + StackSize - (frame * FrameDistance));

    /// <summary>The address as a pointer, after checking that the program may access so many bytes there.</summary>
    /// <exception cref="MachineFault">It may not.</exception>
    public readonly byte* Check(ulong address, ulong size, Access access)
    {
        if (IsStack(address, size))
        {
            CheckNoDynptr(address, size, access);
            return (byte*)address;
        }
        if (IsIn((ulong)Buffer, BufferLength, address, size) || Granted?.Allows(address, size, access) == true)
        {
            return (byte*)address;
        }
        if (access == Access.Read && Key is not null && IsIn((ulong)Key, KeySize, address, size))
        {
            return (byte*)address;
        }
        if (IsPacket(address, size))
        {
            return access != Access.Atomic
                ? (byte*)address
                : throw new MachineFault("atomic operations on packet memory are not allowed");
        }
        if (FindMap(address, size) is { } map)
        {
            var forbidden = access == Access.Read ? MapFlags.WriteOnlyProgram : MapFlags.ReadOnlyProgram;
            if (SpecOf(map).Flags.HasFlag(forbidden))
            {
                throw new MachineFault($"map {map.Spec.Name} may not be {Verb(access)} by programs");
            }
            CheckNoSpecialField(map, address, size, access);
            return (byte*)address;
        }
        if (
            (access == Access.Read && IsKernelObject(address, size))
            || (access == Access.Write && Network?.IsWritable((nint)address, (int)Math.Min(size, int.MaxValue)) == true)
        )
        {
            return (byte*)address;
        }
        throw new MachineFault(
            $"{size} bytes at {Describe(address)} may not be {Verb(access)}: they are not in {Known}"
        );
    }

    /// <summary>True when the bytes are part of an object of the kernel's that programs may read.</summary>
    public readonly bool IsKernelObject(ulong address, ulong size) =>
        address != 0
        && size != 0
        && (
            (ulong)(Services?.ReadableBytes?.Invoke((nint)address) ?? 0) >= size
            || (ulong)(Network?.ReadableBytes((nint)address) ?? 0) >= size
        );

    /// <summary>True when at an address there is a field of a map's value that belongs to the kernel.</summary>
    public readonly bool IsSpecialField(ulong address, SpecialFieldKind kind)
    {
        if (FindMap(address, 1) is not { } map)
        {
            return false;
        }
        var offset = address - StartOfValue(map, address);
        return SpecOf(map).SpecialFields.Any(field => field.Kind == kind && field.Offset == offset);
    }

    private readonly void CheckNoDynptr(ulong address, ulong size, Access access)
    {
        if (Granted?.TouchesDynptr(address, size) != true)
        {
            return;
        }
        if (access != Access.Write)
        {
            throw new MachineFault($"a dynptr at {Describe(address)} may not be {Verb(access)}");
        }
        if (!Granted.TryOverwrite(address, size))
        {
            throw new MachineFault($"a dynptr that holds a record may not be written over, at {Describe(address)}");
        }
    }

    private static void CheckNoSpecialField(Map map, ulong address, ulong size, Access access)
    {
        if (SpecOf(map).SpecialFields.IsEmpty)
        {
            return;
        }
        var offset = address - StartOfValue(map, address);
        foreach (var field in SpecOf(map).SpecialFields)
        {
            var isKernelPointer =
                field.Kind is SpecialFieldKind.Kptr or SpecialFieldKind.UntrustedKptr
                && offset == field.Offset
                && size == field.Size
                && access == Access.Read;
            if (offset < field.Offset + field.Size && field.Offset < offset + size && !isKernelPointer)
            {
                throw new MachineFault(
                    $"the {field.Kind} in a value of map {map.Spec.Name} may not be {Verb(access)} by programs"
                );
            }
        }
    }

    /// <summary>What the values are like that programs find: of a map of maps, those of its inner maps.</summary>
    private static MapSpec SpecOf(Map map) => map.Spec.Inner ?? map.Spec;

    /// <summary>The first byte of the value that an address is in.</summary>
    private static ulong StartOfValue(Map map, ulong address)
    {
        int least = 1,
            most = (int)Math.Min(SpecOf(map).ValueSize, int.MaxValue);
        while (least < most)
        {
            var middle = least + ((most - least + 1) / 2);
            (least, most) = map.ContainsValue((byte*)address, middle) ? (middle, most) : (least, middle - 1);
        }
        return address + (ulong)least - SpecOf(map).ValueSize;
    }

    /// <summary>True when the bytes are packet data or metadata.</summary>
    public readonly bool IsPacket(ulong address, ulong size)
    {
        if (Packet is null)
        {
            return false;
        }
        var start = (ulong)PacketStart;
        return IsIn(start, (ulong)Packet->DataEnd - start, address, size);
    }

    /// <summary>True when the address is one of the context's fields, or near enough to be meant as one.</summary>
    public readonly bool IsContext(ulong address) =>
        Packet is not null && address - (ulong)Packet < (ulong)sizeof(XdpBuff);

    /// <summary>Reads a field of the context, as the kernel's <c>xdp_convert_ctx_access</c> does.</summary>
    /// <param name="address">Where it is read.</param>
    /// <param name="size">How many bytes are read.</param>
    /// <param name="isPointer">Whether the field is a pointer, which has 64 bits here.</param>
    /// <exception cref="MachineFault">There is no such field.</exception>
    public readonly ulong ReadContext(ulong address, int size, out bool isPointer)
    {
        var offset = (int)(address - (ulong)Packet);
        isPointer = offset is XdpMd.Data or XdpMd.DataEnd or XdpMd.DataMeta;
        if (size != 4)
        {
            throw new MachineFault($"fields of the context have 4 bytes, not {size} (offset {offset})");
        }
        return offset switch
        {
            XdpMd.Data => (ulong)Packet->Data,
            XdpMd.DataEnd => (ulong)Packet->DataEnd,
            XdpMd.DataMeta => (ulong)Packet->DataMeta,
            XdpMd.IngressIfindex => Packet->IngressIfindex,
            XdpMd.RxQueueIndex => Packet->RxQueueIndex,
            XdpMd.EgressIfindex => Packet->EgressIfindex,
            _ => throw new MachineFault($"the context has no field at offset {offset}"),
        };
    }

    private readonly NetworkEnvironment? Network => Services?.Network as NetworkEnvironment;

    private readonly byte* PacketStart => Packet->DataMeta < Packet->Data ? Packet->DataMeta : Packet->Data;

    private readonly string Known =>
        Packet is null ? "the stack or the memory" : "the stack, the packet or a map's value";

    private static bool IsIn(ulong start, ulong length, ulong address, ulong size) =>
        size <= length && address - start <= length - size && length != 0;

    private static string Verb(Access access) =>
        access switch
        {
            Access.Read => "read",
            Access.Write => "written",
            _ => "changed",
        };

    private readonly bool IsStack(ulong address, ulong size)
    {
        for (var frame = 0; frame < Frames; frame++)
        {
            if (IsIn(FramePointer(frame) - FrameSize, FrameSize, address, size))
            {
                return true;
            }
        }
        return false;
    }

    private readonly Map? FindMap(ulong address, ulong size)
    {
        if (Maps.IsDefaultOrEmpty || size > int.MaxValue)
        {
            return null;
        }
        foreach (var map in Maps)
        {
            if (map.ContainsValue((byte*)address, (int)size))
            {
                return map;
            }
        }
        return null;
    }

    /// <summary>Says where an address is, as a programmer would.</summary>
    private readonly string Describe(ulong address)
    {
        if (address < 1 << 16)
        {
            return $"address {address} (a null pointer?)";
        }
        if (IsIn((ulong)Stack, StackSize + FrameSize, address, 1))
        {
            return $"r10 {Signed((long)(address - FramePointer(Frames - 1)))}";
        }
        if (Packet is not null && IsIn((ulong)Packet->DataHardStart, XdpBuff.FrameSize, address, 1))
        {
            var length = Packet->DataEnd - Packet->Data;
            return $"data {Signed((long)(address - (ulong)Packet->Data))} of a packet of {length} bytes";
        }
        if (Buffer is not null && IsIn((ulong)Buffer - FrameSize, BufferLength + (2 * FrameSize), address, 1))
        {
            return $"memory {Signed((long)(address - (ulong)Buffer))} of {BufferLength} bytes";
        }
        return $"address 0x{address:x}";
    }

    private static string Signed(long value) => value < 0 ? $"- {-value}" : $"+ {value}";
}
