using System.Collections.Immutable;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;

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
    /// <summary>The number of the map, in <see cref="ToXdpObject"/>, whose value is the memory.</summary>
    public const int MemoryMap = 0;

    /// <summary>The number of the map, in <see cref="ToXdpObject"/>, whose value is r0 after a run.</summary>
    public const int ResultMap = 1;

    /// <summary>
    /// r0 at the end where the program is verified; null when it is refused. The kernel refuses some instructions that
    /// RFC 9669 defines: divisions by the constant 0, too long constant shifts.
    /// </summary>
    public ulong? VerifiedResult =>
        InstructionValidator.Validate(Assembler.Assemble(Text).AsSpan()) is null ? Result : null;

    /// <summary>
    /// An object with one XDP program that calls the case as a function with the memory, a map's value, and stores its r0
    /// into another.
    /// </summary>
    public ObjectSpec ToXdpObject()
    {
        var memory = Memory.Length > 0 ? $"r1 = map_value[{MemoryMap}] ll" : "r1 = 0";
        var caller = Assembler.Assemble(
            $"""
            {memory}
            r2 = {Memory.Length}
            call case
            r1 = map_value[{ResultMap}] ll
            *(u64 *)(r1 + 0) = r0
            r0 = 2
            exit
            case:
            """
        );
        // Only what is relative stands in the case's code, so it can move behind the caller as it is.
        ImmutableArray<Instruction> instructions = [.. caller, .. Assembler.Assemble(Text)];
        return new ObjectSpec
        {
            Source = Name,
            License = "GPL",
            Maps = [MapOf("memory", Math.Max(Memory.Length, 1)), MapOf("result", sizeof(ulong))],
            Programs = [TestPrograms.Of(instructions, "instruction")],
        };
    }

    /// <inheritdoc/>
    public override string ToString() => Name;

    private static MapSpec MapOf(string name, int valueSize) =>
        new()
        {
            Name = name,
            Type = MapType.Array,
            KeySize = 4,
            ValueSize = (uint)valueSize,
            MaxEntries = 1,
        };
}
