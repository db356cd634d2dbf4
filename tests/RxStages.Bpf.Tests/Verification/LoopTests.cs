using System.Text;
using RxStages.Bpf.Verification;

namespace RxStages.Bpf.Tests.Verification;

/// <summary>Loops, pruning and its soundness, and code that is made to be hard.</summary>
public class LoopTests
{
    [Fact]
    public void ABoundedLoopIsFollowedToItsEnd() =>
        Programs.Verify("r0 = 0\nr1 = 0\nloop:\nr0 += 2\nr1 += 1\nif r1 < 1000 goto loop\nexit");

    [Theory]
    [InlineData("r0 = 0\nloop:\nif r0 == 0 goto loop\nexit")]
    [InlineData("r0 = 0\nr1 = 9\nloop:\nr1 ^= 1\nr1 ^= 1\nif r1 == 9 goto loop\nexit")]
    public void ALoopThatChangesNothingIsRejected(string text) => Programs.Rejects(text, "never ends");

    [Fact]
    public void AnEndlessLoopWithoutExitIsRejected() =>
        Assert.Throws<VerificationException>(() => Programs.Verify("r0 = 0\nloop:\ngoto loop\nexit"));

    [Fact]
    public void ALoopWithoutAKnownBoundIsRejected() =>
        Programs.Rejects(
            "r0 = 0\nr2 = *(u32 *)(r1 + 12)\nloop:\nr0 += 1\nr2 += 1\nif r2 != 7 goto loop\nexit",
            "too complex"
        );

    [Fact]
    public void TheLimitOnInstructionsIsAnOption()
    {
        const string Loop = "r0 = 0\nr1 = 0\nloop:\nr1 += 1\nif r1 < 100 goto loop\nexit";
        Programs.Verify(Loop, new VerifierOptions { MaxInstructionsVisited = 203 });
        Programs.Rejects(Loop, "more than 202", new VerifierOptions { MaxInstructionsVisited = 202 });
    }

    [Fact]
    public void ALoopOverHeadersProvesEachOfThem()
    {
        // Up to four VLAN tags, the pointer moved by each.
        Programs.Verify(
            """
            r2 = *(u32 *)(r1 + 0)
            r3 = *(u32 *)(r1 + 4)
            r0 = 2
            r4 = r2
            r4 += 14
            if r4 > r3 goto out
            r5 = *(u16 *)(r2 + 12)
            r6 = 0
            loop:
            if r5 != 0x81 goto out
            r7 = r4
            r7 += 4
            if r7 > r3 goto out
            r5 = *(u16 *)(r4 + 2)
            r4 = r7
            r6 += 1
            if r6 < 4 goto loop
            out:
            exit
            """
        );
    }

    [Theory]
    [InlineData(40, true)]
    [InlineData(41, false)]
    public void ANumberThatDecidesAnOffsetIsNotPruned(int other, bool isSafe)
    {
        // Both ways join before the offset is used; the state of the first way must not stand for the second's number.
        var text = Programs.ArrayValue(
            $"""
            r7 = 8
            r1 = *(u32 *)(r6 + 12)
            r2 = *(u32 *)(r6 + 16)
            if r1 == 1 goto join
            r7 = {other}
            if r2 == 2 goto join
            r2 += 1
            if r2 == 5 goto join
            r2 += 1
            join:
            r2 = 0
            r3 = 0
            r4 = 0
            if r1 == 9 goto use
            r3 = 1
            if r1 == 10 goto use
            r3 = 2
            use:
            r0 += r7
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

    [Theory]
    [InlineData("r7 = r8")]
    [InlineData("*(u64 *)(r10 - 16) = r8\nr7 = *(u64 *)(r10 - 16)")]
    [InlineData("r7 = r8\nr7 += 1\nr7 += -1")]
    [InlineData("r7 = 0\nr7 += r8")]
    [InlineData("r9 = r0\nr1 = r8\ncall identity\nr7 = r0\nr0 = r9")]
    [InlineData("w7 = w8")]
    [InlineData("r7 = 48\nif r8 == 8 goto small\ngoto +1\nsmall:\nr7 = 8")]
    [InlineData("*(u32 *)(r10 - 16) = r8\nr7 = *(u32 *)(r10 - 16)")]
    public void PrecisionFollowsANumberWhereverItCameFrom(string way)
    {
        // r8 is 8 on the way that is followed first and 48 on the other; both have visited a point that keeps states.
        Programs.Rejects(
            Programs.ArrayValue(
                $"""
                r1 = *(u32 *)(r6 + 12)
                r8 = 48
                if r1 == 1 goto join
                r2 = 0
                r2 = 0
                r2 = 0
                r2 = 0
                if r1 == 2 goto join2
                r2 = 0
                join2:
                r2 = 0
                r2 = 0
                r8 = 8
                join:
                r1 = 0
                r2 = 0
                {way}
                r0 += r7
                r3 = *(u64 *)(r0 + 0)
                """
            ) + (way.Contains("identity", StringComparison.Ordinal) ? "\nidentity:\nr0 = r1\nexit" : ""),
            "which has 48 bytes"
        );
    }

    [Fact]
    public void ThreeHundredIndependentBranchesArePruned()
    {
        var text = new StringBuilder("r0 = 0\n");
        for (var branch = 0; branch < 300; branch++)
        {
            text.Append($"r6 = *(u32 *)(r1 + 12)\nif r6 & {1 << (branch % 30)} goto +1\nr0 += {branch}\n");
        }
        var program = Programs.Verify(text.Append("exit").ToString());
        Assert.InRange(program.Statistics.InstructionsVisited, 900, 20_000);
    }

    [Fact]
    public void AnExponentialTreeOfBranchesEndsWithAMessage()
    {
        // Every branch leaves another number, and all of them decide an offset.
        var text = new StringBuilder("r6 = *(u32 *)(r1 + 12)\nr7 = 0\n");
        for (var branch = 0; branch < 28; branch++)
        {
            text.Append($"if r6 & {1 << branch} goto +1\nr7 += {1 << branch}\n");
        }
        text.Append("r7 &= 511\nr2 = r10\nr2 += -512\nr2 += r7\nr0 = *(u8 *)(r2 + 0)\nexit");
        Programs.Rejects(text.ToString(), "too complex", new VerifierOptions { MaxInstructionsVisited = 100_000 });
    }

    [Fact]
    public void NestedLoopsEndWithAMessage() =>
        Programs.Rejects(
            """
            r0 = 0
            r1 = 0
            outer:
            r2 = 0
            inner:
            r2 += 1
            if r2 < 1000 goto inner
            r1 += 1
            if r1 < 1000 goto outer
            exit
            """,
            "too complex",
            new VerifierOptions { MaxInstructionsVisited = 100_000 }
        );
}
