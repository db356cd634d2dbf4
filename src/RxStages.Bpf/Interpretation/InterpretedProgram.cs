using System.Collections.Immutable;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Interpretation;

/// <summary>
/// An XDP program that is interpreted: slow, but it need not be verified, since every access to memory and every argument
/// of a helper is checked when it is made. What is forbidden ends the packet's run with <see cref="XdpAction.Aborted"/>
/// and is told to <see cref="OnFault"/>. Packets, maps and helpers are those of compiled programs, so that the two can be
/// compared, and mixed through tail calls.
/// </summary>
public sealed unsafe class InterpretedProgram : XdpProgram
{
    private readonly Instruction[] _instructions;
    private readonly ImmutableArray<Map> _maps;
    private readonly XdpHelperCalls _helpers;
    private readonly long _instructionLimit;
    private readonly Dictionary<int, InterpretedTimerFunction> _timerFunctions = [];

    /// <summary>Makes a program ready to run.</summary>
    /// <param name="spec">The program, linked.</param>
    /// <param name="maps">The object's live maps, in the order of <see cref="ObjectSpec.Maps"/>; they must outlive the program.</param>
    /// <param name="instructionLimit">How many instructions it may carry out for one packet.</param>
    /// <exception cref="InputException">The program is not well formed.</exception>
    public InterpretedProgram(
        ProgramSpec spec,
        ImmutableArray<Map> maps,
        long instructionLimit = Interpreter.DefaultInstructionLimit
    )
    {
        var starts = spec.Functions.Select(function => function.Start).ToArray();
        if (
            InstructionValidator.Validate(
                spec.Instructions.AsSpan(),
                starts,
                maps.Length,
                kfuncCount: spec.Kfuncs.Length
            ) is
            { } error
        )
        {
            throw Broken(spec, error.Slot, error.Reason);
        }
        Spec = spec;
        _maps = maps;
        CpuCount = Map.CpuCountOf(maps);
        _helpers = new XdpHelperCalls(spec, maps) { TimerFunctionOf = TimerFunctionOf };
        _instructionLimit = instructionLimit;
        _instructions = WithAddresses(spec, maps);
    }

    /// <summary>What it was made from.</summary>
    public ProgramSpec Spec { get; }

    /// <inheritdoc/>
    public override string Name => Spec.Name;

    /// <inheritdoc/>
    public override int CpuCount { get; }

    /// <summary>Is told of every fault, on the thread that runs the program.</summary>
    public Action<InterpreterFault>? OnFault { get; set; }

    /// <inheritdoc/>
    public override void RunVector(XdpBuff** packets, uint* verdicts, int count, BpfRuntime* runtime)
    {
        byte stackEnd;
        runtime->StackEnd = &stackEnd;
        for (var index = 0; index < count; index++)
        {
            var packet = packets[index];
            runtime->TailCallCount = 0;
            runtime->Packet = packet;
            verdicts[index] = (uint)RunTail(packet, runtime);
            if (verdicts[index] == (uint)XdpAction.Redirect)
            {
                packet->Redirect = runtime->Redirect;
                runtime->Redirect = default;
            }
        }
        runtime->EndRun();
    }

    /// <inheritdoc/>
    public override ulong RunTail(XdpBuff* packet, BpfRuntime* runtime) =>
        Execute(packet, runtime) ?? (ulong)XdpAction.Aborted;

    /// <summary>Runs the program on a packet.</summary>
    /// <returns>r0, or null after a fault.</returns>
    internal ulong? Execute(XdpBuff* packet, BpfRuntime* runtime)
    {
        var stack = stackalloc ulong[AddressSpace.StackSize / sizeof(ulong)];
        var space = new AddressSpace
        {
            Packet = packet,
            Maps = _maps,
            Granted = new GrantedMemory(),
            Services = runtime->GetServices(),
        };
        var machine = new Machine(_instructions, _helpers, _instructionLimit, (byte*)stack, space)
        {
            Runtime = runtime,
        };
        machine[1] = (ulong)packet;
        return Run(ref machine, function: 0);
    }

    /// <summary>What timers call that are told to call the function at a slot.</summary>
    private InterpretedTimerFunction TimerFunctionOf(int function)
    {
        if (!_timerFunctions.TryGetValue(function, out var callback))
        {
            _timerFunctions.Add(function, callback = new InterpretedTimerFunction(this, function));
        }
        return callback;
    }

    private void Execute(int function, BpfRuntime* runtime, MapHeader* map, byte* key, byte* value)
    {
        var stack = stackalloc ulong[AddressSpace.StackSize / sizeof(ulong)];
        var space = new AddressSpace
        {
            Maps = _maps,
            Granted = new GrantedMemory(),
            Services = runtime->GetServices(),
            Key = key,
            KeySize = map->KeySize,
        };
        var machine = new Machine(_instructions, _helpers, _instructionLimit, (byte*)stack, space)
        {
            Runtime = runtime,
        };
        (machine[1], machine[2], machine[3]) = ((ulong)map, (ulong)key, (ulong)value);
        Run(ref machine, function);
    }

    /// <summary>Runs to the end.</summary>
    /// <returns>r0, or null after a fault, which is told.</returns>
    private ulong? Run(ref Machine machine, int function)
    {
        try
        {
            var result = machine.Run(function);
            CheckNothingHeld(machine.Memory.Granted);
            return machine.IsAborted ? null : result;
        }
        catch (MachineFault fault)
        {
            OnFault?.Invoke(new InterpreterFault(Name, machine.Slot, Spec.LineOf(machine.Slot), fault.Message));
            return null;
        }
    }

    private static void CheckNothingHeld(GrantedMemory granted)
    {
        if (granted.Lock != 0)
        {
            throw new MachineFault("the program ends while a spin lock is held");
        }
        if (granted.HoldsObjects)
        {
            throw new MachineFault("the program ends without giving back what it acquired");
        }
    }

    private sealed class InterpretedTimerFunction(InterpretedProgram program, int function) : TimerFunction
    {
        public override void Call(BpfRuntime* runtime, MapHeader* map, byte* key, byte* value) =>
            program.Execute(function, runtime, map, key, value);
    }

    private static InputException Broken(ProgramSpec spec, int slot, string reason) =>
        new(spec.Name, $"instruction {slot}", reason);

    /// <summary>The instructions with the addresses of maps and of their values in place of references to them.</summary>
    private static Instruction[] WithAddresses(ProgramSpec spec, ImmutableArray<Map> maps)
    {
        Instruction[] instructions = [.. spec.Instructions];
        for (var slot = 0; slot < instructions.Length; slot += instructions[slot].IsWide ? 2 : 1)
        {
            var load = instructions[slot];
            if (!load.IsWide || load.Source is not (PseudoLoad.MapIndex or PseudoLoad.MapIndexValue))
            {
                continue;
            }
            var map = maps[load.Immediate];
            var address =
                load.Source == PseudoLoad.MapIndex
                    ? (ulong)map.Header
                    : ValueAddress(spec, slot, map) + (uint)instructions[slot + 1].Immediate;
            instructions[slot] = new Instruction(load.Opcode, load.Destination, PseudoLoad.Constant, 0, (int)address);
            instructions[slot + 1] = new Instruction(0, 0, 0, 0, (int)(address >> 32));
        }
        return instructions;
    }

    /// <summary>The address of the one value of a map, as the kernel gives it (<c>array_map_direct_value_addr</c>).</summary>
    private static ulong ValueAddress(ProgramSpec spec, int slot, Map map)
    {
        return map is ArrayMap { Spec: { Type: MapType.Array, MaxEntries: 1 } } array
            ? (ulong)array.Values
            : throw Broken(spec, slot, $"map {map.Spec.Name} is not an array of one value, which alone has an address");
    }
}
