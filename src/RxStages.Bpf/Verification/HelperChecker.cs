using RxStages.Bpf.Helpers;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Verification;

/// <summary>
/// Checks a helper's arguments against its <see cref="HelperDefinition"/> and carries out what a call does to registers,
/// after the kernel's <c>check_helper_call</c> and <c>check_func_arg</c>. What is particular to a helper is data in the
/// definition and in <see cref="MapRules"/>.
/// </summary>
internal sealed class HelperChecker(VerifierEnvironment environment)
{
    private const int MapLookup = 1;

    private readonly MemoryChecker _memory = new(environment);

    // Of the call in progress:
    private HelperDefinition _helper = null!;
    private int _map;
    private bool _findsAlways;

    /// <summary>The call in progress.</summary>
    public void Check(HelperDefinition helper)
    {
        if (helper.IsGplOnly && !environment.Options.IsGplCompatible)
        {
            throw environment.Reject(
                $"bpf_{helper.Name} is for programs with a GPL-compatible license, but this one's is '{environment.Options.License}'",
                "char LICENSE[] SEC(\"license\") = \"GPL\";"
            );
        }
        _helper = helper;
        _map = -1;
        _findsAlways = false;
        for (var index = 0; index < helper.Arguments.Length; index++)
        {
            CheckArgument(index + 1, helper.Arguments[index]);
        }
        NoteFacts();
        environment.Record();
        var result = Result();
        if (helper.ChangesPacketData)
        {
            environment.State.ForgetPackets();
        }
        CallChecker.ClearCallerSaved(environment.Registers);
        environment.Registers[0] = result;
    }

    private void CheckArgument(int register, Argument expected)
    {
        var type = expected.Type;
        ref readonly var argument = ref environment.Read(register);
        switch (type)
        {
            case ArgumentType.Anything:
                break;
            case ArgumentType.Context:
                CheckWhole(register, argument, RegisterType.Context);
                break;
            case ArgumentType.ConstMapPointer:
                CheckWhole(register, argument, RegisterType.MapPointer);
                CheckMap(argument.Map);
                break;
            case ArgumentType.MapKey:
                CheckKey(register);
                break;
            case ArgumentType.MapValue:
                CheckMemory(register, (int)environment.Maps[_map].ValueSize, MemoryChecker.Access.Read);
                break;
            case ArgumentType.ReadableMemory
            or ArgumentType.ReadableMemoryOrNull
            or ArgumentType.WritableMemory
            or ArgumentType.UpdatedMemory
                when _helper.Arguments[register].Type is ArgumentType.Size or ArgumentType.SizeOrZero:
                // Checked with its size, which is the next argument.
                break;
            case ArgumentType.ReadableFixedSize or ArgumentType.WritableFixedSize or ArgumentType.UpdatedFixedSize:
                CheckFixedSize(register, expected);
                break;
            case ArgumentType.Size or ArgumentType.SizeOrZero:
                CheckSizedMemory(register, type == ArgumentType.SizeOrZero);
                break;
            default:
                throw environment.Reject(
                    $"bpf_{_helper.Name} takes an argument of a kind that is not supported: {type}"
                );
        }
    }

    private void CheckWhole(int register, in RegisterState argument, RegisterType expected)
    {
        if (argument.Type != expected)
        {
            throw environment.Reject(
                $"bpf_{_helper.Name} expects {expected.Describe()} in r{register}, which is {argument.Describe()}"
            );
        }
        if (argument.Offset != 0 || !argument.Bounds.IsZero)
        {
            throw environment.Reject(
                $"bpf_{_helper.Name} expects {expected.Describe()} in r{register}, but it was moved by {argument.DescribeOffset()}"
            );
        }
    }

    private void CheckMap(int index)
    {
        if (MapRules.ReasonAgainst(_helper, environment.Maps[index]) is { } reason)
        {
            throw environment.Reject(reason);
        }
        _map = index;
    }

    private void CheckKey(int register)
    {
        var map = environment.Maps[_map];
        CheckMemory(register, (int)map.KeySize, MemoryChecker.Access.Read);
        if (_helper.Id == MapLookup && MapRules.AlwaysFindsIndex(map))
        {
            _findsAlways = ConstantKey(register, map) is { } key && key < map.MaxEntries;
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

    private void CheckMemory(int register, int size, MemoryChecker.Access access) =>
        _memory.CheckHelperMemory(
            register,
            size,
            access,
            fillsAll: access == MemoryChecker.Access.Write,
            _helper.AllowsPacketAccess
        );

    private void CheckFixedSize(int register, Argument expected)
    {
        ref readonly var pointer = ref environment.Registers[register];
        var place = pointer.Bounds.Bits + Tnum.Constant((ulong)(long)pointer.Offset);
        if (expected.IsAligned && !place.IsAligned((ulong)expected.Size))
        {
            throw environment.Reject(
                $"bpf_{_helper.Name} expects an address in r{register} that is a multiple of {expected.Size}"
            );
        }
        CheckMemory(register, expected.Size, AccessOf(expected.Type));
    }

    private static MemoryChecker.Access AccessOf(ArgumentType memory) =>
        memory switch
        {
            ArgumentType.WritableMemory or ArgumentType.WritableFixedSize => MemoryChecker.Access.Write,
            ArgumentType.UpdatedMemory or ArgumentType.UpdatedFixedSize => MemoryChecker.Access.ReadWrite,
            _ => MemoryChecker.Access.Read,
        };

    /// <summary>A size, and the memory in the argument before it (<c>check_mem_size_reg</c>).</summary>
    private void CheckSizedMemory(int register, bool mayBeZero)
    {
        ref readonly var size = ref environment.Registers[register];
        var memoryType = _helper.Arguments[register - 2].Type;
        if (!size.IsScalar)
        {
            throw environment.Reject($"bpf_{_helper.Name} expects a size in r{register}, which is {size.Describe()}");
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
        ref readonly var memory = ref environment.Registers[register - 1];
        if (memory.IsZero && memoryType == ArgumentType.ReadableMemoryOrNull && mayBeZero && size.Bounds.Max == 0)
        {
            environment.Precision.Mark(register - 1);
            environment.Precision.Mark(register);
            return;
        }
        _memory.CheckHelperMemory(
            register - 1,
            (int)size.Bounds.Max,
            AccessOf(memoryType),
            fillsAll: size.Bounds.IsConstant,
            _helper.AllowsPacketAccess
        );
        environment.Precision.Mark(register);
    }

    private void NoteFacts()
    {
        if (_map >= 0)
        {
            ref var facts = ref environment.Facts[environment.Slot];
            var isSame = _mapSeen.Add(environment.Slot) || facts.MapIndexPlusOne == _map + 1;
            facts.MapIndexPlusOne = isSame ? _map + 1 : 0;
        }
    }

    // Calls for which the map was noted on some path.
    private readonly HashSet<int> _mapSeen = [];

    private RegisterState Result()
    {
        switch (_helper.Returns)
        {
            case ReturnType.Integer:
                return RegisterState.Unknown;
            case ReturnType.Void:
                return default;
            case ReturnType.MapValueOrNull:
                var isSocket = environment.Maps[_map].Type == MapType.Xskmap;
                var type = isSocket ? RegisterType.XdpSocket : RegisterType.MapValue;
                var result = RegisterState.Pointer(_findsAlways ? type : type | RegisterType.MayBeNull);
                result.Map = _map;
                result.Id = _findsAlways ? 0 : environment.NewId();
                return result;
            default:
                throw environment.Reject(
                    $"bpf_{_helper.Name} returns a kind of value that is not supported: {_helper.Returns}"
                );
        }
    }
}
