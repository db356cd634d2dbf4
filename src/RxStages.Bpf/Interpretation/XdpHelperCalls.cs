using System.Collections.Frozen;
using System.Collections.Immutable;
using RxStages.Bpf.Helpers;
using RxStages.Bpf.Kfuncs;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Interpretation;

/// <summary>
/// The helpers of XDP programs. The verifier proves before a program is compiled that their arguments are what they take;
/// here it is looked at in every call.
/// </summary>
internal sealed unsafe class XdpHelperCalls(ProgramSpec program, ImmutableArray<Map> maps) : HelperCalls
{
    private const int TailCallId = 12;

    /// <summary>The most memory that a helper is given (the verifier's <c>BPF_MAX_VAR_SIZ</c>).</summary>
    private const ulong MaxSize = 1 << 29;

    private static readonly FrozenDictionary<ulong, BoundHelper> Helpers = HelperTable.All.ToFrozenDictionary(
        helper => (ulong)helper.Id,
        helper => new BoundHelper(helper)
    );

    private static readonly FrozenDictionary<string, BoundHelper> Kfuncs = KfuncTable.All.ToFrozenDictionary(
        kfunc => kfunc.Name,
        kfunc => new BoundHelper(kfunc)
    );

    /// <inheritdoc/>
    public override void Call(ref Machine machine, ulong id)
    {
        if (!Helpers.TryGetValue(id, out var helper))
        {
            throw new MachineFault(
                id <= int.MaxValue && HelperNames.Find((int)id) is { } name
                    ? $"helper bpf_{name} (number {id}) is not supported"
                    : $"there is no helper {id}"
            );
        }
        if (id == TailCallId)
        {
            CheckArguments(ref machine, helper.Definition);
            TailCall(ref machine);
            return;
        }
        Call(ref machine, helper);
    }

    /// <inheritdoc/>
    public override void CallKfunc(ref Machine machine, int index)
    {
        var name = program.Kfuncs[index].Name;
        if (!Kfuncs.TryGetValue(name, out var kfunc))
        {
            throw new MachineFault($"kfunc {name} is not supported");
        }
        Call(ref machine, kfunc);
    }

    private void Call(ref Machine machine, BoundHelper function)
    {
        var definition = function.Definition;
        CheckArguments(ref machine, definition);
        var callback = definition.Arguments.FirstOrDefault(argument => argument.Callback != CallbackKind.None).Callback;
        if (definition.Implementation is null)
        {
            Callbacks.Run(ref machine, callback);
            return;
        }
        var result = function.Call(machine.Runtime, machine[1], machine[2], machine[3], machine[4], machine[5]);
        if (definition.Returns != ReturnType.Void)
        {
            machine[0] = result;
        }
    }

    /// <summary>Checks the arguments and gives the map among them, or null.</summary>
    private Map? CheckArguments(ref Machine machine, FunctionDefinition helper)
    {
        Map? map = null;
        for (var index = 0; index < helper.Arguments.Length; index++)
        {
            var register = index + 1;
            var value = machine[register];
            switch (helper.Arguments[index].Type)
            {
                case ArgumentType.Anything or ArgumentType.Size or ArgumentType.SizeOrZero:
                    // Sizes are looked at with the memory in front of them.
                    break;
                case ArgumentType.Context when value == (ulong)machine.Memory.Packet:
                    break;
                case ArgumentType.Context:
                    throw Fault(helper, register, "is not the context");
                case ArgumentType.ConstMapPointer:
                    map = FindMap(value) ?? throw Fault(helper, register, "is not one of the program's maps");
                    CheckMapType(map, helper);
                    break;
                case ArgumentType.MapKey:
                    CheckMemory(ref machine, helper, register, map!.Spec.KeySize, Access.Read);
                    break;
                case ArgumentType.MapValue:
                    CheckMemory(ref machine, helper, register, map!.Spec.ValueSize, Access.Read);
                    break;
                case ArgumentType.ReadableMemoryOrNull when value == 0 && machine[register + 1] == 0:
                    break;
                case ArgumentType.ReadableMemory or ArgumentType.ReadableMemoryOrNull:
                    CheckMemory(ref machine, helper, register, SizeOf(ref machine, helper, register), Access.Read);
                    break;
                case ArgumentType.WritableMemory:
                    CheckMemory(ref machine, helper, register, SizeOf(ref machine, helper, register), Access.Write);
                    break;
                case ArgumentType.UpdatedMemory:
                    CheckUpdated(ref machine, helper, register, SizeOf(ref machine, helper, register));
                    break;
                case ArgumentType.UpdatedFixedSize:
                    CheckUpdated(ref machine, helper, register, (ulong)helper.Arguments[index].Size);
                    break;
                case ArgumentType.ReadableFixedSize:
                    CheckMemory(ref machine, helper, register, (ulong)helper.Arguments[index].Size, Access.Read);
                    break;
                case ArgumentType.WritableFixedSize:
                    CheckMemory(ref machine, helper, register, (ulong)helper.Arguments[index].Size, Access.Write);
                    break;
                case ArgumentType.Function:
                    CheckFunction(helper, register, value);
                    break;
                case ArgumentType.StackOrNull when value == 0:
                    break;
                case ArgumentType.StackOrNull:
                    CheckMemory(ref machine, helper, register, 1, Access.Read);
                    break;
                default:
                    throw new NotSupportedException($"argument type {helper.Arguments[index].Type}");
            }
        }
        return map;
    }

    /// <summary>Functions are passed by the slot that they start at.</summary>
    private void CheckFunction(FunctionDefinition helper, int register, ulong value)
    {
        foreach (var function in program.Functions)
        {
            if ((ulong)function.Start == value && value != 0)
            {
                return;
            }
        }
        throw Fault(helper, register, "is not a function of the program");
    }

    /// <summary>The size argument behind a memory argument.</summary>
    private static ulong SizeOf(ref Machine machine, FunctionDefinition helper, int register)
    {
        var size = machine[register + 1];
        if (size > MaxSize)
        {
            throw Fault(helper, register + 1, $"is not a size: {(long)size}");
        }
        return size != 0 || helper.Arguments[register].Type == ArgumentType.SizeOrZero
            ? size
            : throw Fault(helper, register + 1, "may not be 0");
    }

    private static void CheckUpdated(ref Machine machine, FunctionDefinition helper, int register, ulong size)
    {
        CheckMemory(ref machine, helper, register, size, Access.Read);
        CheckMemory(ref machine, helper, register, size, Access.Write);
    }

    private static void CheckMemory(
        ref Machine machine,
        FunctionDefinition helper,
        int register,
        ulong size,
        Access access
    )
    {
        var address = machine[register];
        machine.Memory.Check(address, size, access);
        if (!helper.AllowsPacketAccess && machine.Memory.IsPacket(address, size))
        {
            throw Fault(helper, register, "may not be packet memory");
        }
    }

    /// <summary>The kernel's <c>check_map_func_compatibility</c>.</summary>
    private static void CheckMapType(Map map, FunctionDefinition helper)
    {
        if (
            MapTypeTable.Find(map.Spec.Type) is not { } type
            || (helper is HelperDefinition { Id: var id } && !type.Allows(id))
        )
        {
            throw new MachineFault($"{helper.FullName} does not work on map {map.Spec.Name} of type {map.Spec.Type}");
        }
    }

    private static MachineFault Fault(FunctionDefinition helper, int register, string reason) =>
        new($"argument r{register} of {helper.FullName} {reason}");

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

    /// <summary>
    /// Runs the program at an index in place of the rest of the function; goes on behind the call when there is none or
    /// too many were run. Only calls that find a program count, as in the kernel's x86 JIT.
    /// </summary>
    private static void TailCall(ref Machine machine)
    {
        if (
            machine.Runtime->TailCallCount >= BpfRuntime.MaxTailCalls
            || ProgramArrayOperations.Find((MapHeader*)machine[2], (uint)machine[3]) is not { } program
        )
        {
            return;
        }
        machine.Runtime->TailCallCount++;
        if (program is not InterpretedProgram interpreted)
        {
            machine[0] = program.RunTail(machine.Memory.Packet, machine.Runtime);
            machine.Return();
        }
        else if (interpreted.Execute(machine.Memory.Packet, machine.Runtime) is { } result)
        {
            machine[0] = result;
            machine.Return();
        }
        else
        {
            machine.Abort();
        }
    }
}
