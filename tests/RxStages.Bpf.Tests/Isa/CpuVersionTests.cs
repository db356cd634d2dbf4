using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Tests.Isa;

public class CpuVersionTests
{
    [Theory]
    [InlineData("r0 = 1", 1)]
    [InlineData("r1 = be16 r1", 1)]
    [InlineData("if r1 > 5 goto +0", 1)]
    [InlineData("lock *(u64 *)(r10 - 8) += r1", 1)]
    [InlineData("if r1 < 5 goto +0", 2)]
    [InlineData("if r1 s<= r2 goto +0", 2)]
    [InlineData("w0 += w1", 3)]
    [InlineData("if w1 == 0 goto +0", 3)]
    [InlineData("r1 = atomic_fetch_add((u64 *)(r10 - 8), r1)", 3)]
    [InlineData("r1 = bswap32 r1", 4)]
    [InlineData("r1 = (s16)r2", 4)]
    [InlineData("r1 s/= r2", 4)]
    [InlineData("r1 = *(s8 *)(r10 - 1)", 4)]
    [InlineData("gotol +0", 4)]
    public void AnInstructionsVersionIsTheFirstThatHasIt(string instruction, int version)
    {
        var program = Assembler.Assemble($"r0 = 0\n{instruction}\nexit");
        Assert.Equal(version, CpuVersion.Of(program.AsSpan()));
    }

    [Fact]
    public void TheSecondSlotOfAWideLoadIsNoInstruction() =>
        Assert.Equal(1, CpuVersion.Of(Assembler.Assemble("r0 = 0x6000000000 ll\nexit").AsSpan()));
}
