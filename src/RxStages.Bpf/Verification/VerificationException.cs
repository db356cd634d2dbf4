using RxStages.Bpf.Errors;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Verification;

/// <summary>The verifier could not prove that a program is safe. The message says what is wrong, where, and what helps.</summary>
public sealed class VerificationException : InputException
{
    internal VerificationException(ProgramSpec program, int slot, string problem, string? hint = null)
        : base(program.Name, Locate(program, slot), Explain(program, slot, Name(program, slot, problem), hint))
    {
        Slot = slot;
        Instruction = Disassemble(program, slot);
        Line = program.LineOf(slot);
        Problem = Name(program, slot, problem);
        Hint = hint;
    }

    /// <summary>The slot of the instruction that is at fault.</summary>
    public int Slot { get; }

    /// <summary>The instruction, disassembled.</summary>
    public string Instruction { get; }

    /// <summary>The source line that the instruction was made from, or null where it is not known.</summary>
    public SourceLine? Line { get; }

    /// <summary>What is wrong, in plain words.</summary>
    public string Problem { get; }

    /// <summary>What may help, or null.</summary>
    public string? Hint { get; }

    private static string Name(ProgramSpec program, int slot, string problem) =>
        program.Unresolved.TryGetValue(slot, out var relocation)
            ? $"failed to resolve CO-RE relocation {relocation}"
            : problem;

    private static string Locate(ProgramSpec program, int slot) =>
        program.LineOf(slot) is { } line
            ? line.Column > 0
                ? $"{line.File}:{line.Line}:{line.Column}"
                : $"{line.File}:{line.Line}"
            : $"instruction {slot}";

    private static string Disassemble(ProgramSpec program, int slot) =>
        slot < program.Instructions.Length ? Disassembler.Format(program.Instructions.AsSpan(), slot) : "";

    private static string Explain(ProgramSpec program, int slot, string problem, string? hint)
    {
        var line = program.LineOf(slot);
        var text = new System.Text.StringBuilder(problem);
        if (!string.IsNullOrWhiteSpace(line?.Text))
        {
            text.Append("\n    ").Append(line.Text.Trim());
        }
        text.Append("\n    instruction ").Append(slot).Append(": ").Append(Disassemble(program, slot));
        if (hint is not null)
        {
            text.Append("\n    hint: ").Append(hint);
        }
        return text.ToString();
    }
}
