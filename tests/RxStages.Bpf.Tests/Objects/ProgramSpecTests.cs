using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Tests.Objects;

public class ProgramSpecTests
{
    private readonly ProgramSpec _program = new()
    {
        Name = "entry",
        Section = "xdp",
        Instructions = [.. new Instruction[9]],
        Functions =
        [
            new FunctionSpec("entry", 0, 4, IsGlobal: true, 0),
            new FunctionSpec("without_lines", 4, 2, IsGlobal: false, 0),
            new FunctionSpec("last", 6, 3, IsGlobal: false, 0),
        ],
        Lines =
        [
            new SourceLine(0, "a.c", 1, 1, ""),
            new SourceLine(2, "a.c", 2, 1, ""),
            new SourceLine(7, "a.c", 9, 1, ""),
        ],
    };

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(3, 2)]
    [InlineData(8, 9)]
    public void ALineHoldsUpToTheNext(int slot, int line) => Assert.Equal(line, _program.LineOf(slot)!.Line);

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void ALineDoesNotHoldBeyondItsFunction(int slot) => Assert.Null(_program.LineOf(slot));

    [Theory]
    [InlineData(3, "entry")]
    [InlineData(4, "without_lines")]
    [InlineData(8, "last")]
    public void EverySlotBelongsToAFunction(int slot, string function) =>
        Assert.Equal(function, _program.FunctionOf(slot).Name);
}
