using RxStages.Bpf.Helpers;
using RxStages.Bpf.Kfuncs;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Verification;

/// <summary>
/// Checks memory that a helper or kfunc is given: keys and values of maps, memory of a fixed size, and memory of which
/// another argument tells the size (the kernel's <c>check_mem_size_reg</c>).
/// </summary>
internal sealed class MemoryArgumentChecker(VerifierEnvironment environment, CallFindings call)
{
    private const string MapLookup = "map_lookup_elem";

    private readonly MemoryChecker _memory = new(environment);

    /// <summary>Checks an argument; false when it is no memory and no size.</summary>
    public bool TryCheck(int register, Argument expected)
    {
        switch (expected.Type)
        {
            case ArgumentType.MapKey:
                CheckKey(register);
                return true;
            case ArgumentType.MapValue:
                CheckIsPlain(register);
                CheckMemory(register, (int)environment.Maps[call.Map].ValueSize, MemoryAccess.Read);
                return true;
            case ArgumentType.WritableMapValue:
                // Bloom filters are asked about a value, all others fill it in.
                var map = environment.Maps[call.Map];
                var isRead = map.Type == MapType.BloomFilter;
                CheckMemory(register, (int)map.ValueSize, isRead ? MemoryAccess.Read : MemoryAccess.Write);
                return true;
            case ArgumentType.ReadableFixedSize:
                CheckFixedSize(register, expected, MemoryAccess.Read);
                return true;
            case ArgumentType.WritableFixedSize:
                CheckFixedSize(register, expected, IsKfunc ? MemoryAccess.ReadWrite : MemoryAccess.Write);
                return true;
            case ArgumentType.UpdatedFixedSize:
                CheckFixedSize(register, expected, MemoryAccess.ReadWrite);
                return true;
            case ArgumentType.ReadableMemory
            or ArgumentType.ReadableMemoryOrNull
            or ArgumentType.WritableMemory
            or ArgumentType.WritableMemoryOrNull
            or ArgumentType.UpdatedMemory:
                // Checked with its size, which is the next argument.
                return true;
            case ArgumentType.Size or ArgumentType.SizeOrZero or ArgumentType.ConstantSize:
                CheckSized(register, expected.Type);
                return true;
            default:
                return false;
        }
    }

    private bool IsKfunc => call.Function is KfuncDefinition;

    private void CheckKey(int register)
    {
        var map = environment.Maps[call.Map];
        CheckIsPlain(register);
        CheckMemory(register, (int)map.KeySize, MemoryAccess.Read);
        if (call.Function.Name == MapLookup && MapRules.AlwaysFindsIndex(map))
        {
            call.FindsAlways = ConstantKey(register, map) is { } key && key < map.MaxEntries;
        }
    }

    /// <summary>Keys and values may not be parts of a dynptr that are read-only or of the packet: the kernel names no reason.</summary>
    private void CheckIsPlain(int register)
    {
        if (environment.Registers[register].Type.Has(RegisterType.ReadOnly | RegisterType.PacketSlice))
        {
            throw environment.Reject(
                $"r{register} is {environment.Registers[register].Describe()}, which cannot be a map's key or value",
                "copy the bytes to a variable on the stack first"
            );
        }
    }

    /// <summary>The key, where it is a constant on the stack (<c>get_constant_map_key</c>).</summary>
    private uint? ConstantKey(int register, MapSpec map)
    {
        ref readonly var pointer = ref environment.Registers[register];
        if (pointer.Type != RegisterType.Stack || map.KeySize != 4 || !pointer.Bounds.IsConstant)
        {
            return null;
        }
        var offset = (int)((long)pointer.Bounds.Bits.Value + pointer.Offset);
        var frame = environment.State.Frame(pointer.Frame);
        var index = FunctionFrame.SlotOf(offset);
        ref var slot = ref frame.Stack[index];
        if (FunctionFrame.ByteOf(offset) == 0 && slot.IsScalarSpill && slot.SpillSize >= 4)
        {
            if (!slot.Spilled.Bounds.IsConstant32)
            {
                return null;
            }
            environment.Precision.MarkSlot(pointer.Frame, index);
            return (uint)slot.Spilled.Bounds.Bits.Value;
        }
        for (var position = 0; position < 4; position++)
        {
            // An unaligned key may cross into the next slot: bytes are looked up one by one.
            if (frame.ByteAt(offset + position) != StackByte.Zero)
            {
                return null;
            }
        }
        return 0;
    }

    private void CheckMemory(int register, int size, MemoryAccess access) =>
        _memory.CheckCallMemory(
            register,
            size,
            access,
            fillsAll: access == MemoryAccess.Write,
            allowsPacket: call.Function.AllowsPacketAccess || IsKfunc
        );

    private void CheckFixedSize(int register, Argument expected, MemoryAccess access)
    {
        ref readonly var pointer = ref environment.Registers[register];
        // Where packets lie in memory is taken to be two bytes behind a multiple of 16 (NET_IP_ALIGN).
        if (expected.IsAligned && !pointer.Place(pointer.IsPacket ? 2 : 0).IsAligned((ulong)expected.Size))
        {
            throw environment.Reject(
                $"{call.Function.FullName} expects memory in r{register} that is aligned to {expected.Size} bytes, but its offset is {pointer.DescribeOffset()}"
            );
        }
        CheckMemory(register, expected.Size, access);
    }

    /// <summary>A size, and the memory in the argument before it.</summary>
    private void CheckSized(int register, ArgumentType type)
    {
        ref readonly var size = ref environment.Registers[register];
        var expected = call.Function.Arguments[register - 2];
        var mayBeZero = type != ArgumentType.Size;
        if (!size.IsScalar)
        {
            throw environment.Reject(
                $"{call.Function.FullName} expects a size in r{register}, which is {size.Describe()}"
            );
        }
        if (size.Bounds.SignedMin < 0)
        {
            throw environment.Reject(
                $"the size in r{register} may be negative ({size.Bounds})",
                "use an unsigned variable, and bound it with a comparison or '&'"
            );
        }
        if (size.Bounds.Min == 0 && !mayBeZero)
        {
            throw environment.Reject($"the size in r{register} may be 0 ({size.Bounds})", "check that it is above 0");
        }
        if (size.Bounds.Max >= MemoryChecker.MaxSize)
        {
            throw environment.Reject(
                $"the size in r{register} is not bounded ({size.Bounds})",
                "bound it with a comparison or '&'"
            );
        }
        call.MaxSize = size.Bounds.Max;
        if (type == ArgumentType.ConstantSize)
        {
            if (!size.Bounds.IsConstant)
            {
                throw environment.Reject(
                    $"{call.Function.FullName} expects a constant size in r{register}, which may be {size.Bounds}"
                );
            }
            call.ResultSize = (int)size.Bounds.Max;
        }
        CheckMemoryOfSize(register - 1, size.Bounds, expected, mayBeZero);
        environment.Precision.Mark(register);
    }

    private void CheckMemoryOfSize(int register, in ScalarBounds size, Argument expected, bool mayBeZero)
    {
        if (environment.Registers[register].IsZero && MayBeNull(expected, size, mayBeZero))
        {
            environment.Precision.Mark(register);
            return;
        }
        var access = expected.Type switch
        {
            ArgumentType.WritableMemory when !IsKfunc => MemoryAccess.Write,
            ArgumentType.WritableMemory or ArgumentType.WritableMemoryOrNull or ArgumentType.UpdatedMemory =>
                MemoryAccess.ReadWrite,
            _ => MemoryAccess.Read,
        };
        _memory.CheckCallMemory(
            register,
            (int)size.Max,
            access,
            fillsAll: size.IsConstant,
            allowsPacket: call.Function.AllowsPacketAccess || IsKfunc
        );
    }

    /// <summary>Null will do where there is nothing to access, and for a kfunc's buffer that may be left out.</summary>
    private static bool MayBeNull(Argument expected, in ScalarBounds size, bool mayBeZero) =>
        expected.Type == ArgumentType.WritableMemoryOrNull
        || ((expected.Type == ArgumentType.ReadableMemoryOrNull || expected.MayBeNull) && mayBeZero && size.Max == 0);
}
