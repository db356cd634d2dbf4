using RxStages.Bpf.Errors;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Interpretation;

/// <summary>Something forbidden that a program did while it was interpreted, which ended its run.</summary>
/// <param name="Program">The program's name.</param>
/// <param name="Slot">The instruction that did it.</param>
/// <param name="Line">The source line that it was made from, or null where that is not known.</param>
/// <param name="Reason">What was forbidden.</param>
public sealed record InterpreterFault(string Program, int Slot, SourceLine? Line, string Reason)
{
    /// <inheritdoc/>
    public override string ToString() =>
        Line is { } line
            ? $"{Program}: instruction {Slot} ({line.File}:{line.Line}): {Reason}"
            : $"{Program}: instruction {Slot}: {Reason}";
}

/// <summary>A fault of a program that runs for itself (<see cref="Interpreter"/>), where nobody else could take it.</summary>
public sealed class InterpreterFaultException(InterpreterFault fault)
    : InputException(fault.Program, $"instruction {fault.Slot}", fault.Reason)
{
    /// <summary>The fault.</summary>
    public InterpreterFault Fault { get; } = fault;
}

/// <summary>Ends a run from wherever the fault is found; never leaves this folder.</summary>
internal sealed class MachineFault(string reason) : Exception(reason);
