using System.Collections.Immutable;
using RxStages.Bpf.Helpers;
using RxStages.Bpf.Kfuncs;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Interpretation;

/// <summary>
/// Checks in every call that the arguments are what the function takes, which the verifier proves before a program is
/// compiled; and keeps account of the memory that calls give to programs and take back.
/// </summary>
internal sealed unsafe class ArgumentChecks(ProgramSpec program, ImmutableArray<Map> maps)
{
    /// <summary>The most memory that a helper is given (the verifier's <c>BPF_MAX_VAR_SIZ</c>).</summary>
    private const ulong MaxSize = 1 << 29;

    // struct bpf_sock, struct bpf_tcp_sock
    private const ulong SocketSize = 80,
        TcpSocketSize = 112;

    /// <summary>Checks r1 to r5 before a call.</summary>
    /// <exception cref="MachineFault">An argument is not what the function takes.</exception>
    public void Check(ref Machine machine, FunctionDefinition function)
    {
        if (machine.Memory.Granted.Lock != 0 && function.Name is not ("spin_unlock" or "spin_lock"))
        {
            throw new MachineFault($"{function.FullName} is called while a spin lock is held");
        }
        Map? map = null;
        for (var register = 1; register <= function.Arguments.Length; register++)
        {
            var argument = function.Arguments[register - 1];
            if (machine[register] == 0 && MayBeNull(ref machine, function, register))
            {
                continue;
            }
            if (argument.Type == ArgumentType.ConstMapPointer)
            {
                map = FindMap(machine[register]) ?? throw Fault(function, register, "is not one of the program's maps");
                CheckMapType(map, function);
            }
            else if (!TryCheckMemory(ref machine, function, register, map))
            {
                CheckObject(ref machine, function, register);
            }
        }
    }

    /// <summary>Notes what a call gave and took.</summary>
    public void Finish(
        ref Machine machine,
        FunctionDefinition function,
        scoped ReadOnlySpan<ulong> arguments,
        ulong result
    )
    {
        var granted = machine.Memory.Granted;
        if (function.ChangesPacketData)
        {
            granted.ReleaseSlices();
        }
        ulong dynptr = 0;
        for (var register = 1; register <= function.Arguments.Length; register++)
        {
            var value = arguments[register - 1];
            switch (function.Arguments[register - 1].Type)
            {
                case ArgumentType.RingbufMemory or ArgumentType.ReleasedSocket or ArgumentType.ReleasedBtfPointer:
                    granted.Release(value);
                    break;
                case ArgumentType.ReleasedDynptr:
                    granted.ReleaseOwned(granted.DynptrAt(value)?.Owner ?? 0);
                    break;
                case ArgumentType.Dynptr:
                    dynptr = value;
                    break;
                case ArgumentType.UninitializedDynptr:
                    var kind = function.Arguments[register - 1].Dynptr;
                    var original = granted.DynptrAt(dynptr);
                    granted.AddDynptr(
                        value,
                        original is { } cloned ? cloned.Kind : kind,
                        original is { } owned ? owned.Owner : 0
                    );
                    break;
                case ArgumentType.SpinLock:
                    granted.Lock = function.Name == "spin_lock" ? value : 0;
                    break;
            }
        }
        if (result != 0 || function.Returns == ReturnType.CastPointer)
        {
            Grant(ref machine, function, arguments, result, granted.DynptrAt(dynptr)?.Owner ?? 0);
        }
    }

    private static void Grant(
        ref Machine machine,
        FunctionDefinition function,
        scoped ReadOnlySpan<ulong> arguments,
        ulong result,
        ulong owner
    )
    {
        var granted = machine.Memory.Granted;
        switch (function.Returns)
        {
            case ReturnType.RingbufMemoryOrNull:
                granted.Add(result, SizeOfResult(function, arguments), isWritable: true, isObject: true);
                break;
            case ReturnType.DynptrMemoryOrNull:
                granted.Add(result, SizeOfResult(function, arguments), isWritable: true, owner);
                break;
            case ReturnType.ReadOnlyDynptrMemoryOrNull:
                granted.Add(result, SizeOfResult(function, arguments), isWritable: false, owner);
                break;
            case ReturnType.SocketOrNull or ReturnType.SocketCommonOrNull:
                granted.Add(result, SocketSize, isWritable: false, isObject: function.Acquires);
                break;
            case ReturnType.TcpSocketOrNull:
                granted.Add(result, TcpSocketSize, isWritable: false, isObject: function.Acquires);
                break;
            case ReturnType.BtfPointer or ReturnType.BtfPointerOrNull when function.Acquires:
                // What may be read of it, its owner says (AddressSpace.IsKernelObject).
                granted.Add(result, 0, isWritable: false, isObject: true);
                break;
            case ReturnType.BtfPointer or ReturnType.BtfPointerOrNull or ReturnType.CastPointer:
                granted.AddStructure(result);
                break;
            case ReturnType.IteratorElementOrNull:
                granted.Add(result, (ulong)function.ReturnSize, isWritable: false);
                break;
        }
    }

    private static ulong SizeOfResult(FunctionDefinition function, scoped ReadOnlySpan<ulong> arguments)
    {
        for (var index = 0; index < function.Arguments.Length; index++)
        {
            if (function.Arguments[index].Type is ArgumentType.ConstAllocSize or ArgumentType.ConstantSize)
            {
                return arguments[index];
            }
        }
        return (ulong)function.ReturnSize;
    }

    private static bool MayBeNull(ref Machine machine, FunctionDefinition function, int register)
    {
        var argument = function.Arguments[register - 1];
        var isSized = register < function.Arguments.Length && IsSize(function.Arguments[register].Type);
        return argument.Type switch
        {
            ArgumentType.StackOrNull or ArgumentType.WritableMemoryOrNull => true,
            ArgumentType.ReadableMemoryOrNull => machine[register + 1] == 0,
            _ => argument.MayBeNull && (!isSized || machine[register + 1] == 0),
        };
    }

    private static bool IsSize(ArgumentType type) =>
        type is ArgumentType.Size or ArgumentType.SizeOrZero or ArgumentType.ConstantSize;

    /// <summary>Memory that is read or written, and its size; false for arguments of other kinds.</summary>
    private static bool TryCheckMemory(ref Machine machine, FunctionDefinition function, int register, Map? map)
    {
        var argument = function.Arguments[register - 1];
        switch (argument.Type)
        {
            case ArgumentType.MapKey:
                CheckMemory(ref machine, function, register, map!.Spec.KeySize, Access.Read);
                return true;
            case ArgumentType.MapValue when map!.Spec.Type is not (MapType.Sockmap or MapType.Sockhash):
                CheckMemory(ref machine, function, register, map.Spec.ValueSize, Access.Read);
                return true;
            case ArgumentType.WritableMapValue:
                var access = map!.Spec.Type == MapType.BloomFilter ? Access.Read : Access.Write;
                CheckMemory(ref machine, function, register, map.Spec.ValueSize, access);
                return true;
            case ArgumentType.ReadableMemory or ArgumentType.ReadableMemoryOrNull:
                CheckMemory(ref machine, function, register, SizeAt(ref machine, function, register), Access.Read);
                return true;
            case ArgumentType.WritableMemory:
                CheckMemory(ref machine, function, register, SizeAt(ref machine, function, register), Access.Write);
                return true;
            case ArgumentType.UpdatedMemory or ArgumentType.WritableMemoryOrNull:
                CheckUpdated(ref machine, function, register, SizeAt(ref machine, function, register));
                return true;
            case ArgumentType.ReadableFixedSize:
                CheckMemory(ref machine, function, register, (ulong)argument.Size, Access.Read);
                return true;
            case ArgumentType.WritableFixedSize:
                CheckMemory(ref machine, function, register, (ulong)argument.Size, Access.Write);
                return true;
            case ArgumentType.UpdatedFixedSize:
                CheckUpdated(ref machine, function, register, (ulong)argument.Size);
                return true;
            default:
                return false;
        }
    }

    private void CheckObject(ref Machine machine, FunctionDefinition function, int register)
    {
        var value = machine[register];
        var granted = machine.Memory.Granted;
        switch (function.Arguments[register - 1].Type)
        {
            case ArgumentType.Context when value != (ulong)machine.Memory.Packet:
                throw Fault(function, register, "is not the context");
            case ArgumentType.RingbufMemory
            or ArgumentType.SocketCommon
            or ArgumentType.ReleasedSocket
            or ArgumentType.ReleasedBtfPointer
            or ArgumentType.MapValue when !granted.IsObject(value):
                throw Fault(function, register, "is no object that the program has acquired");
            case ArgumentType.BtfPointer when !granted.IsObject(value) && !machine.Memory.IsKernelObject(value, 1):
                throw Fault(function, register, "is no object of the kernel");
            case ArgumentType.Dynptr or ArgumentType.ReleasedDynptr:
                CheckDynptr(ref machine, function, register);
                break;
            case ArgumentType.UninitializedDynptr:
                machine.Memory.Check(value, GrantedMemory.StackDynptr.Size, Access.Write);
                break;
            case ArgumentType.Function:
                CheckFunction(function, register, value);
                break;
            case ArgumentType.StackOrNull:
                CheckMemory(ref machine, function, register, 1, Access.Read);
                break;
            case ArgumentType.Timer:
                CheckTimer(ref machine, function, register);
                break;
            case ArgumentType.Iterator or ArgumentType.UninitializedIterator:
                machine.Memory.Check(value, (ulong)function.Arguments[register - 1].Size, Access.Write);
                break;
            case ArgumentType.SpinLock:
                CheckLock(ref machine, function, register);
                break;
            case ArgumentType.ConstString or ArgumentType.ConstFormat or ArgumentType.KfuncString:
                CheckString(ref machine, value);
                break;
        }
    }

    /// <summary>The timer of a value of one of the program's maps.</summary>
    private void CheckTimer(ref Machine machine, FunctionDefinition function, int register)
    {
        foreach (var map in maps)
        {
            foreach (var field in map.Spec.SpecialFields)
            {
                var value = (byte*)machine[register] - field.Offset;
                if (field.Kind == SpecialFieldKind.Timer && map.ContainsValue(value, (int)map.Spec.ValueSize))
                {
                    return;
                }
            }
        }
        throw Fault(function, register, "is not the timer of a map value");
    }

    /// <summary>Functions are passed by the slot that they start at.</summary>
    private void CheckFunction(FunctionDefinition function, int register, ulong value)
    {
        foreach (var candidate in program.Functions)
        {
            if ((ulong)candidate.Start == value && value != 0)
            {
                return;
            }
        }
        throw Fault(function, register, "is not a function of the program");
    }

    private static void CheckDynptr(ref Machine machine, FunctionDefinition function, int register)
    {
        var argument = function.Arguments[register - 1];
        if (machine.Memory.Granted.DynptrAt(machine[register]) is not { } dynptr)
        {
            throw Fault(function, register, "is no dynptr");
        }
        if (!argument.Dynptr.HasFlag(dynptr.Kind))
        {
            throw Fault(function, register, $"is a dynptr of kind {dynptr.Kind}");
        }
        if (argument.Type == ArgumentType.ReleasedDynptr && dynptr.Owner == 0)
        {
            throw Fault(function, register, "is a dynptr that holds nothing");
        }
    }

    private static void CheckLock(ref Machine machine, FunctionDefinition function, int register)
    {
        var value = machine[register];
        if (!machine.Memory.IsSpecialField(value, SpecialFieldKind.SpinLock))
        {
            throw Fault(function, register, "is no spin lock in a map's value");
        }
        var held = machine.Memory.Granted.Lock;
        var isWrong = function.Name == "spin_lock" ? held != 0 : held != value;
        if (isWrong)
        {
            throw Fault(function, register, held != 0 ? "is not the lock that is held" : "is a lock that is not held");
        }
    }

    private static void CheckString(ref Machine machine, ulong address)
    {
        while (*machine.Memory.Check(address, 1, Access.Read) != 0)
        {
            address++;
        }
    }

    /// <summary>The size argument behind a memory argument.</summary>
    private static ulong SizeAt(ref Machine machine, FunctionDefinition function, int register)
    {
        var size = machine[register + 1];
        if (size > MaxSize)
        {
            throw Fault(function, register + 1, $"is not a size: {(long)size}");
        }
        return size != 0 || function.Arguments[register].Type != ArgumentType.Size
            ? size
            : throw Fault(function, register + 1, "may not be 0");
    }

    private static void CheckUpdated(ref Machine machine, FunctionDefinition function, int register, ulong size)
    {
        CheckMemory(ref machine, function, register, size, Access.Read);
        CheckMemory(ref machine, function, register, size, Access.Write);
    }

    private static void CheckMemory(
        ref Machine machine,
        FunctionDefinition function,
        int register,
        ulong size,
        Access access
    )
    {
        var address = machine[register];
        machine.Memory.Check(address, size, access);
        if (
            !function.AllowsPacketAccess
            && function is not KfuncDefinition
            && machine.Memory.IsPacket(address, size)
            && !machine.Memory.Granted.Allows(address, size, access)
        )
        {
            throw Fault(function, register, "may not be packet memory");
        }
    }

    /// <summary>The kernel's <c>check_map_func_compatibility</c>.</summary>
    private static void CheckMapType(Map map, FunctionDefinition function)
    {
        if (
            MapTypeTable.Find(map.Spec.Type) is not { } type
            || (function is HelperDefinition { Id: var id } && !type.Allows(id))
        )
        {
            throw new MachineFault($"{function.FullName} does not work on map {map.Spec.Name} of type {map.Spec.Type}");
        }
    }

    private static MachineFault Fault(FunctionDefinition function, int register, string reason) =>
        new($"argument r{register} of {function.FullName} {reason}");

    private Map? FindMap(ulong header)
    {
        foreach (var map in maps)
        {
            if (map.WithHeader((nuint)header) is { } found)
            {
                return found;
            }
        }
        return null;
    }
}
