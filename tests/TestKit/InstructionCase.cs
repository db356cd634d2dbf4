namespace RxStages.TestKit;

/// <summary>
/// One small program and what must come of it, whoever runs it: r1 is the address of <paramref name="Memory"/> (0 when it is
/// empty), r2 its length, and no other memory but the stack is there.
/// </summary>
/// <param name="Name">Says what is tested; unique.</param>
/// <param name="Text">The program in assembler text.</param>
/// <param name="Memory">The memory's content before the run.</param>
/// <param name="Result">r0 at the end; null when the program does something forbidden: running it is a fault, verifying it fails.</param>
public sealed record InstructionCase(string Name, string Text, byte[] Memory, ulong? Result)
{
    /// <inheritdoc/>
    public override string ToString() => Name;
}
