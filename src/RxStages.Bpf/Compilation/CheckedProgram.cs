using RxStages.Bpf.Errors;

namespace RxStages.Bpf.Compilation;

/// <summary>
/// A program that is compiled but not verified, as instruction-set conformance suites run them: not XDP, no maps. Every
/// access is checked against one memory and the stacks. Made by <see cref="IlCompiler.CompileChecked"/>.
/// </summary>
public sealed unsafe class CheckedProgram
{
    /// <summary>How many instructions a run may come to, counted in jumps back and calls, when nothing else is said.</summary>
    public const long DefaultBudget = 1 << 26;

    /// <summary>
    /// The longest program, in slots. It is one method a function, without chunks, and the runtime refuses methods with more
    /// than 65,535 variables, of which an instruction may need one.
    /// </summary>
    public const int MaxInstructions = 1 << 15;

    private readonly Method _method;
    private readonly IReadOnlyDictionary<int, Func<ulong, ulong, ulong, ulong, ulong, ulong>>? _helpers;

    internal CheckedProgram(
        CheckedCompiler compiler,
        IReadOnlyDictionary<int, Func<ulong, ulong, ulong, ulong, ulong, ulong>>? helpers
    )
    {
        _helpers = helpers;
        _method = compiler.Compile().CreateDelegate<Method>();
    }

    private delegate ulong Method(
        CheckedMachine* machine,
        CheckedProgram program,
        ulong r1,
        ulong r2,
        ulong r3,
        ulong r4,
        ulong r5
    );

    /// <summary>Runs the program: r1 is the memory's address (0 if it is empty), r2 its length.</summary>
    /// <param name="memory">The memory; the program may write it.</param>
    /// <param name="budget">How many instructions it may run, counted in jumps back and calls.</param>
    /// <returns>r0.</returns>
    /// <exception cref="InputException">An access was out of bounds, a helper is unknown, or the budget is used up.</exception>
    public ulong Run(Span<byte> memory, long budget = DefaultBudget)
    {
        var stack = stackalloc ulong[CheckedMachine.MaxFrames * CheckedMachine.FrameSize / sizeof(ulong)];
        fixed (byte* address = memory)
        {
            var machine = new CheckedMachine
            {
                Memory = address,
                MemoryLength = (ulong)memory.Length,
                Stack = (byte*)stack,
                Budget = budget,
            };
            return _method(&machine, this, (ulong)address, (ulong)memory.Length, 0, 0, 0);
        }
    }

    internal static ulong CallHelper(
        CheckedMachine* machine,
        CheckedProgram program,
        int slot,
        ulong number,
        ulong r1,
        ulong r2,
        ulong r3,
        ulong r4,
        ulong r5
    )
    {
        CheckedMachine.Spend(machine, 1, slot);
        return
            program._helpers is { } helpers
            && number <= int.MaxValue
            && helpers.TryGetValue((int)number, out var helper)
            ? helper(r1, r2, r3, r4, r5)
            : throw CheckedMachine.Fault(slot, $"there is no helper {number}");
    }
}
