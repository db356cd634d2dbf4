using RxStages.Bpf.Verification;

namespace RxStages.Bpf.Tests.Verification;

public class BranchTests
{
    [Theory]
    [InlineData("if r1 > 40 goto out", true)]
    [InlineData("if r1 > 41 goto out", false)]
    [InlineData("if r1 >= 41 goto out", true)]
    [InlineData("if r1 >= 42 goto out", false)]
    [InlineData("if w1 > 40 goto out", true)]
    [InlineData("if w1 > 41 goto out", false)]
    [InlineData("if r1 s> 40 goto out", true)]
    [InlineData("if w1 s> 40 goto out", false)]
    [InlineData("if w1 & 0xffffffd7 goto out", true)]
    [InlineData("if w1 & 0xffffffc0 goto out", false)]
    [InlineData("if r1 != 40 goto out", true)]
    [InlineData("if r1 != 41 goto out", false)]
    [InlineData("r1 &= 40", true)]
    [InlineData("r1 &= 41", false)]
    [InlineData("r1 >>= 27", true)]
    [InlineData("r1 >>= 26", false)]
    [InlineData("w1 <<= 31\nw1 >>= 26", true)]
    [InlineData("r2 = 40\nif r1 > r2 goto out", true)]
    [InlineData("r2 = 41\nif r1 > r2 goto out", false)]
    [InlineData("r2 = *(u32 *)(r6 + 16)\nif r2 > 40 goto out\nif r1 > r2 goto out", true)]
    [InlineData("r2 = *(u32 *)(r6 + 16)\nif r2 > 41 goto out\nif r1 > r2 goto out", false)]
    [InlineData("r2 = r1\nif r2 > 40 goto out", true)]
    [InlineData("r2 = r1\nr2 += 8\nif r2 > 48 goto out\nr1 = r2\nr1 += -8\nif r1 s< 0 goto out", true)]
    [InlineData("r2 = r1\nr2 += 8\nif r2 < 8 goto out\nif r2 > 48 goto out", true)]
    [InlineData("r2 = r1\nr2 += 8\nif r2 < 8 goto out\nif r2 > 49 goto out", false)]
    [InlineData("r2 = r1\nr2 -= 8\nif r2 s> 32 goto out", true)]
    [InlineData("r2 = r1\nr2 -= 8\nif r2 s> 33 goto out", false)]
    [InlineData("w2 = w1\nif w2 > 40 goto out", true)]
    public void AnOffsetIntoAMapValueMustBeProved(string bound, bool isSafe)
    {
        var text = Programs.ArrayValue(
            $"""
            r1 = *(u32 *)(r6 + 12)
            {bound}
            r0 += r1
            r3 = *(u64 *)(r0 + 0)
            """
        );
        if (isSafe)
        {
            Programs.Verify(text);
        }
        else
        {
            Programs.Rejects(text, "which has 48 bytes");
        }
    }

    [Fact]
    public void ABranchThatIsNeverGoneIsReported()
    {
        var program = Programs.Verify(
            """
            r2 = *(u32 *)(r1 + 12)
            r0 = 1
            r2 &= 7
            if r2 > 7 goto +1
            exit
            r0 = *(u64 *)(r0 + 0)
            exit
            """
        );
        Assert.Equal(BranchOutcome.FallsThrough, program.FactsBySlot[3].Branch);
        Assert.True(program.FactsBySlot[4].IsReachable);
        Assert.False(program.FactsBySlot[5].IsReachable);
    }

    [Fact]
    public void BothWaysAreReportedWhereverThePathsComeFrom()
    {
        var program = Programs.Verify(
            """
            r2 = *(u32 *)(r1 + 12)
            r3 = 0
            if r2 > 7 goto +1
            r3 = 1
            r0 = 1
            if r3 == 0 goto +1
            r0 = 2
            exit
            """
        );
        Assert.Equal(BranchOutcome.Both, program.FactsBySlot[5].Branch);
    }

    [Fact]
    public void InstructionsThatNoJumpLeadsToAreRejected() =>
        Assert.Equal(2, Programs.Rejects("r0 = 0\nexit\nr0 = 1\nexit", "unreachable").Slot);

    [Theory]
    [InlineData("r0 = r2\nexit", "r2 is read")]
    [InlineData("exit", "r0 is read")]
    [InlineData("r0 = *(u32 *)(r1 + 12)\nif r0 > r3 goto +0\nexit", "r3 is read")]
    public void ARegisterIsReadOnlyWhenItHoldsSomething(string text, string words) => Programs.Rejects(text, words);

    [Theory]
    [InlineData("r1 *= 2", "'*' on the context")]
    [InlineData("w1 += 2", "32-bit arithmetic on the context")]
    [InlineData("r2 = r10\nr2 -= 8", "subtracted from a pointer to the stack")]
    [InlineData("r2 = r10\nr2 += r1", "two pointers are combined")]
    [InlineData("r2 = 5\nr2 -= r1", "subtracted from a number")]
    [InlineData("r2 = r10\nr2 += 0x20000000", "out of any bounds")]
    public void PointersAreOnlyMoved(string text, string words) => Programs.Rejects($"{text}\nr0 = 0\nexit", words);

    [Fact]
    public void TheDifferenceOfTwoPointersIsANumber()
    {
        Programs.Verify("r2 = *(u32 *)(r1 + 0)\nr0 = *(u32 *)(r1 + 4)\nr0 -= r2\nexit");
        Programs.Rejects(
            "r2 = *(u32 *)(r1 + 0)\nr3 = *(u32 *)(r1 + 4)\nr3 -= r2\nr0 = *(u8 *)(r3 + 0)\nexit",
            "which is a number"
        );
    }
}
