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

    private static readonly FrozenDictionary<ulong, BoundHelper> Helpers = HelperTable.All.ToFrozenDictionary(
        helper => (ulong)helper.Id,
        helper => new BoundHelper(helper)
    );

    private static readonly FrozenDictionary<string, BoundHelper> Kfuncs = KfuncTable.All.ToFrozenDictionary(
        kfunc => kfunc.Name,
        kfunc => new BoundHelper(kfunc)
    );

    private readonly ArgumentChecks _arguments = new(program, maps);

    /// <summary>What timers call for the function at a slot.</summary>
    public required Func<int, TimerFunction> TimerFunctionOf { get; init; }

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
            _arguments.Check(ref machine, helper.Definition);
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
        _arguments.Check(ref machine, definition);
        var callback = definition.Arguments.FirstOrDefault(argument => argument.Callback != CallbackKind.None).Callback;
        if (definition.Implementation is null)
        {
            if (callback == CallbackKind.Timer)
            {
                machine[0] = (ulong)MapTimers.SetCallback((nint)machine[1], TimerFunctionOf((int)machine[2]));
                return;
            }
            Callbacks.Run(ref machine, callback);
            return;
        }
        ReadOnlySpan<ulong> arguments = [machine[1], machine[2], machine[3], machine[4], machine[5]];
        var result = function.Call(machine.Runtime, machine[1], machine[2], machine[3], machine[4], machine[5]);
        _arguments.Finish(ref machine, definition, arguments, result);
        if (definition.Returns != ReturnType.Void)
        {
            machine[0] = result;
        }
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
