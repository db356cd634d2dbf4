namespace RxStages.Bpf.Isa;

/// <summary>Why a program is not well formed.</summary>
/// <param name="Slot">The instruction's slot; 0 for what concerns the whole program.</param>
/// <param name="Reason">What is wrong, in the kernel verifier's words where it has some.</param>
public sealed record ValidationError(int Slot, string Reason);

/// <summary>Which instructions are valid.</summary>
public enum InstructionRules
{
    /// <summary>Those that the kernel's verifier takes.</summary>
    Kernel,

    /// <summary>
    /// Those of RFC 9669, as conformance suites run them: beyond the kernel's, shifts by an immediate that is masked to the
    /// width, division by an immediate 0, and <c>callx</c>.
    /// </summary>
    Rfc9669,
}
