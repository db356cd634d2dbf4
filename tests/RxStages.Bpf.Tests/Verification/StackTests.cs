using RxStages.Bpf.Verification;

namespace RxStages.Bpf.Tests.Verification;

public class StackTests
{
    [Theory]
    [InlineData("*(u64 *)(r10 - 512) = 1", true)]
    [InlineData("*(u64 *)(r10 - 520) = 1", false)]
    [InlineData("*(u8 *)(r10 - 1) = 1", true)]
    [InlineData("*(u8 *)(r10 + 0) = 1", false)]
    [InlineData("*(u64 *)(r10 - 4) = 1", false)]
    [InlineData("*(u32 *)(r10 - 4) = 1", true)]
    [InlineData("*(u16 *)(r10 - 3) = 1", false)]
    public void AccessesStayInsideAndAligned(string access, bool isSafe)
    {
        var text = $"{access}\nr0 = 0\nexit";
        if (isSafe)
        {
            Programs.Verify(text);
        }
        else
        {
            Programs.Rejects(text, "of the stack");
        }
    }

    [Fact]
    public void BytesNeverWrittenAreReadAsUnknownNumbersAndReported()
    {
        Assert.True(Programs.Verify("r0 = *(u64 *)(r10 - 8)\nexit").Functions[0].ReadsUninitializedStack);
        Assert.True(
            Programs.Verify("*(u32 *)(r10 - 8) = 1\nr0 = *(u64 *)(r10 - 8)\nexit").Functions[0].ReadsUninitializedStack
        );
        Assert.False(
            Programs.Verify("*(u64 *)(r10 - 8) = 1\nr0 = *(u64 *)(r10 - 8)\nexit").Functions[0].ReadsUninitializedStack
        );
    }

    [Fact]
    public void AReadThatOnlyACoveredPathLeavesUninitializedIsReportedToo()
    {
        // The path through 'skip' is ended at 'join', where the written one went before; it is the one that reads garbage.
        var program = Programs.Verify(
            """
            r6 = *(u32 *)(r1 + 12)
            r7 = *(u32 *)(r1 + 16)
            if r6 == 1 goto skip
            *(u64 *)(r10 - 8) = r7
            if r7 == 1 goto join
            r7 += 1
            if r7 == 2 goto join
            r7 += 1
            goto join
            skip:
            r7 += 3
            join:
            r7 = 0
            r0 = *(u64 *)(r10 - 8)
            exit
            """
        );
        Assert.True(program.Functions[0].ReadsUninitializedStack);
    }

    [Theory]
    [InlineData(40, true)]
    [InlineData(48, false)]
    public void ASpilledNumberKeepsItsBounds(int max, bool isSafe)
    {
        var text = Programs.ArrayValue(
            $"""
            r1 = *(u32 *)(r6 + 12)
            if r1 > {max} goto out
            *(u64 *)(r10 - 16) = r1
            r2 = *(u64 *)(r10 - 16)
            r0 += r2
            r3 = *(u64 *)(r0 + 0)
            """
        );
        CheckBounds(text, isSafe);
    }

    [Theory]
    [InlineData(40, true)]
    [InlineData(41, false)]
    public void WhatIsLearntOfACopyHoldsForTheSpilledNumber(int max, bool isSafe)
    {
        var text = Programs.ArrayValue(
            $"""
            r1 = *(u32 *)(r6 + 12)
            *(u32 *)(r10 - 16) = r1
            if r1 > {max} goto out
            r2 = *(u32 *)(r10 - 16)
            r0 += r2
            r3 = *(u64 *)(r0 + 0)
            """
        );
        CheckBounds(text, isSafe);
    }

    [Fact]
    public void APointerIsStoredAndReadWhole()
    {
        Programs.Verify("*(u64 *)(r10 - 8) = r1\nr2 = *(u64 *)(r10 - 8)\nr0 = *(u32 *)(r2 + 12)\nexit");
        Programs.Rejects("*(u32 *)(r10 - 8) = r1\nr0 = 0\nexit", "stores 4 bytes");
        Programs.Rejects("*(u64 *)(r10 - 8) = r1\nr0 = *(u32 *)(r10 - 8)\nexit", "reads 4 bytes");
    }

    [Fact]
    public void AWriteIntoAStoredPointerLeavesANumber()
    {
        Programs.Rejects(
            """
            *(u64 *)(r10 - 8) = r1
            *(u8 *)(r10 - 5) = 0
            r2 = *(u64 *)(r10 - 8)
            r0 = *(u32 *)(r2 + 12)
            exit
            """,
            "reads from r2, which is a number"
        );
    }

    [Theory]
    [InlineData(-8, 0, true)]
    [InlineData(-8, 1, false)]
    [InlineData(-512, 0, true)]
    [InlineData(-513, 0, false)]
    public void AVariableOffsetIsBoundedByTheStack(int start, int offset, bool isSafe)
    {
        // r2 is 0 to 7.
        var text = $"""
            r2 = *(u32 *)(r1 + 12)
            r2 &= 7
            r3 = r10
            r3 += {start}
            r3 += r2
            *(u8 *)(r3 + {offset}) = 1
            r0 = *(u8 *)(r3 + {offset})
            exit
            """;
        if (isSafe)
        {
            Programs.Verify(text);
        }
        else
        {
            Programs.Rejects(text, "of the stack");
        }
    }

    [Fact]
    public void AWriteSomewhereLeavesNothingKnownThere()
    {
        Programs.Rejects(
            """
            *(u64 *)(r10 - 8) = r1
            r2 = *(u32 *)(r1 + 12)
            r2 &= 15
            r3 = r10
            r3 += -16
            r3 += r2
            *(u8 *)(r3 + 0) = 1
            r4 = *(u64 *)(r10 - 8)
            r0 = *(u32 *)(r4 + 12)
            exit
            """,
            "reads from r4, which is a number"
        );
    }

    [Fact]
    public void TheStackOfCallersIsReachedThroughPointers()
    {
        var program = Programs.Verify(
            """
            r1 = r10
            r1 += -8
            call fill
            r0 = *(u64 *)(r10 - 8)
            exit
            fill:
            *(u64 *)(r1 + 0) = 7
            r0 = 0
            exit
            """
        );
        Assert.Equal((8, 0), (program.Functions[0].StackDepth, program.Functions[1].StackDepth));
        Assert.False(program.Functions[0].ReadsUninitializedStack);
    }

    [Fact]
    public void PointersToTheStackDoNotOutliveTheirFunction()
    {
        Programs.Rejects("call f\nexit\nf:\nr0 = r10\nexit", "returns a pointer to the stack");
        Programs.Rejects(
            "r1 = r10\nr1 += -8\ncall f\nr0 = 0\nexit\nf:\n*(u64 *)(r1 + 0) = r10\nr0 = 0\nexit",
            "stack of the calling function"
        );
    }

    [Fact]
    public void AnAtomicFetchGivesWhatWasStoredAndLeavesANumber()
    {
        const string Fetch = "*(u64 *)(r10 - 16) = 40\nr1 = 1\nr1 = atomic_fetch_add((u64 *)(r10 - 16), r1)\n";
        Programs.Verify(Programs.ArrayValue($"{Fetch}r0 += r1\nr0 = *(u64 *)(r0 + 0)"));
        Programs.Rejects(
            Programs.ArrayValue($"{Fetch}r1 = *(u64 *)(r10 - 16)\nr0 += r1\nr0 = *(u64 *)(r0 + 0)"),
            "without a known lower bound"
        );
    }

    [Fact]
    public void WhatAFunctionReadsThroughAPointerIsComparedBetweenStates()
    {
        // The second way stores another index where the function reads it from; the first way's state must not stand for it.
        Programs.Rejects(
            """
            r6 = r1
            r7 = *(u32 *)(r1 + 12)
            *(u64 *)(r10 - 8) = 0
            if r7 == 1 goto join
            r2 = 0
            r2 = 0
            r2 = 0
            if r7 == 2 goto join
            r2 = 0
            *(u64 *)(r10 - 8) = 64
            join:
            r2 = 0
            r1 = r10
            r1 += -8
            call f
            r0 = 0
            exit
            f:
            r2 = *(u64 *)(r1 + 0)
            r3 = r10
            r3 += -64
            r3 += r2
            *(u8 *)(r3 + 0) = 1
            r0 = 0
            exit
            """,
            "from the end of the stack"
        );
    }

    [Theory]
    [InlineData(256, 256, true)]
    [InlineData(256, 264, false)]
    [InlineData(264, 256, false)]
    public void FramesTakeAtMost512BytesTogether(int outer, int inner, bool isSafe)
    {
        var text = $"""
            *(u64 *)(r10 - {outer}) = 0
            call f
            exit
            f:
            *(u64 *)(r10 - {inner}) = 0
            r0 = 0
            exit
            """;
        if (isSafe)
        {
            Programs.Verify(text);
        }
        else
        {
            Programs.Rejects(text, "bytes of stack together");
        }
    }

    [Fact]
    public void AFillWithSignExtensionIsNotTheNumberThatWasSpilled()
    {
        // The kernel (6.18) takes it for the same: with r2 at least 2^31 - 1 it thinks r1, too, is positive.
        Programs.Rejects(
            Programs.ArrayValue(
                """
                r9 = r0
                r1 = *(u32 *)(r9 + 8)
                *(u64 *)(r10 - 16) = r1
                r2 = *(u64 *)(r10 - 16)
                r1 = *(s32 *)(r10 - 16)
                if r2 < 2147483647 goto out
                r1 >>= 31
                r9 += r1
                r0 = *(u8 *)(r9 + 0)
                """
            ),
            "which has 48 bytes"
        );
    }

    private static void CheckBounds(string text, bool isSafe)
    {
        if (isSafe)
        {
            Programs.Verify(text);
        }
        else
        {
            Programs.Rejects(text, "which has 48 bytes");
        }
    }
}
