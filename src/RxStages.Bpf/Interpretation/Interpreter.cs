using RxStages.Bpf.Errors;
using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Interpretation;

/// <summary>
/// Runs a program for itself, without packet and maps, as instruction-set conformance suites do. XDP programs are run by
/// <see cref="InterpretedProgram"/>.
/// </summary>
public static unsafe class Interpreter
{
    /// <summary>How many instructions a run may carry out when nothing else is said.</summary>
    public const long DefaultInstructionLimit = 1 << 24;

    private const string Source = "program";

    /// <summary>Runs a program: r1 is the memory's address (0 if it is empty), r2 its length, all else 0.</summary>
    /// <param name="program">The program, valid by <see cref="InstructionRules.Rfc9669"/>.</param>
    /// <param name="memory">The one memory that it may touch beside its stack.</param>
    /// <param name="helpers">The functions that it may call by number, r1 to r5 in and r0 out; none if null.</param>
    /// <param name="instructionLimit">How many instructions it may carry out.</param>
    /// <returns>r0.</returns>
    /// <exception cref="InputException">The program is not well formed.</exception>
    /// <exception cref="InterpreterFaultException">It did something forbidden.</exception>
    public static ulong RunRaw(
        ReadOnlySpan<Instruction> program,
        Span<byte> memory,
        IReadOnlyDictionary<int, Func<ulong, ulong, ulong, ulong, ulong, ulong>>? helpers = null,
        long instructionLimit = DefaultInstructionLimit
    )
    {
        if (InstructionValidator.Validate(program, mapCount: 0, rules: InstructionRules.Rfc9669) is { } error)
        {
            throw new InputException(Source, $"instruction {error.Slot}", error.Reason);
        }
        var stack = stackalloc ulong[AddressSpace.StackSize / sizeof(ulong)];
        fixed (byte* buffer = memory)
        {
            var space = new AddressSpace { Buffer = buffer, BufferLength = (ulong)memory.Length };
            var machine = new Machine(program, new RawHelperCalls(helpers), instructionLimit, (byte*)stack, space);
            machine[1] = (ulong)buffer;
            machine[2] = (ulong)memory.Length;
            try
            {
                return machine.Run();
            }
            catch (MachineFault fault)
            {
                throw new InterpreterFaultException(
                    new InterpreterFault(Source, machine.Slot, Line: null, fault.Message)
                );
            }
        }
    }

    private sealed class RawHelperCalls(
        IReadOnlyDictionary<int, Func<ulong, ulong, ulong, ulong, ulong, ulong>>? helpers
    ) : HelperCalls
    {
        public override void Call(ref Machine machine, ulong id)
        {
            if (helpers is null || id > int.MaxValue || !helpers.TryGetValue((int)id, out var helper))
            {
                throw new MachineFault($"there is no helper {id}");
            }
            machine[0] = helper(machine[1], machine[2], machine[3], machine[4], machine[5]);
        }
    }
}
