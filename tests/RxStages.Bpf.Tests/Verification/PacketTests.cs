namespace RxStages.Bpf.Tests.Verification;

public class PacketTests
{
    [Theory]
    [InlineData(">", 0, 13, true)]
    [InlineData(">", 0, 14, false)]
    [InlineData(">=", 0, 14, true)]
    [InlineData(">=", 0, 15, false)]
    public void AComparisonProvesBytesUpToThePointerThatWasCompared(string comparison, int start, int at, bool isSafe)
    {
        Check(
            $"""
            r2 = *(u32 *)(r1 + 0)
            r3 = *(u32 *)(r1 + 4)
            r0 = 0
            r4 = r2
            r4 += 14
            if r4 {comparison} r3 goto out
            r0 = *(u8 *)(r2 + {start + at})
            out:
            exit
            """,
            isSafe
        );
    }

    [Theory]
    [InlineData("r3 < r4", 13, true)]
    [InlineData("r3 < r4", 14, false)]
    [InlineData("r3 <= r4", 14, true)]
    [InlineData("r3 <= r4", 15, false)]
    public void TheEndMayStandOnTheLeft(string comparison, int at, bool isSafe)
    {
        Check(
            $"""
            r2 = *(u32 *)(r1 + 0)
            r3 = *(u32 *)(r1 + 4)
            r0 = 0
            r4 = r2
            r4 += 14
            if {comparison} goto out
            r0 = *(u8 *)(r2 + {at})
            out:
            exit
            """,
            isSafe
        );
    }

    [Theory]
    [InlineData(3, true)]
    [InlineData(4, false)]
    public void MetadataEndsWhereThePacketStarts(int at, bool isSafe)
    {
        Check(
            $"""
            r2 = *(u32 *)(r1 + 8)
            r3 = *(u32 *)(r1 + 0)
            r0 = 0
            r4 = r2
            r4 += 4
            if r4 > r3 goto out
            r0 = *(u8 *)(r2 + {at})
            out:
            exit
            """,
            isSafe
        );
    }

    [Theory]
    [InlineData(0x0f, 19, true)]
    [InlineData(0x0f, 20, false)]
    public void AVariableOffsetIsProvedThroughItsOwnComparison(int mask, int at, bool isSafe)
    {
        Check(
            Programs.Packet(
                14,
                $"""
                r5 = *(u8 *)(r2 + 0)
                r5 &= {mask}
                r5 <<= 2
                r2 += 14
                r2 += r5
                r4 = r2
                r4 += 20
                if r4 > r3 goto out
                r0 = *(u8 *)(r2 + {at})
                """
            ),
            isSafe
        );
    }

    [Theory]
    [InlineData(0xff00, true)]
    [InlineData(0x1ff00, false)]
    public void AnOffsetBeyond64KiBProvesNothing(int mask, bool isSafe)
    {
        Check(
            Programs.Packet(
                14,
                $"""
                r5 = *(u32 *)(r2 + 0)
                r5 &= {mask}
                r2 += r5
                r4 = r2
                r4 += 20
                if r4 > r3 goto out
                r0 = *(u8 *)(r2 + 19)
                """
            ),
            isSafe
        );
    }

    [Fact]
    public void ComparingTwiceFollowsOnlyTheWayThatIsLeft()
    {
        // The second comparison cannot go the other way: what would be unsafe there is never reached.
        var program = Programs.Verify(
            """
            r2 = *(u32 *)(r1 + 0)
            r3 = *(u32 *)(r1 + 4)
            r0 = 0
            r4 = r2
            r4 += 14
            if r4 > r3 goto above
            exit
            above:
            if r4 > r3 goto out
            r0 = *(u8 *)(r2 + 100)
            out:
            exit
            """
        );
        Assert.False(program.FactsBySlot[8].IsReachable);
    }

    [Fact]
    public void ThatAPointerIsBeyondTheEndSaysNothingOfOnesBeforeIt()
    {
        Programs.Rejects(
            """
            r2 = *(u32 *)(r1 + 0)
            r3 = *(u32 *)(r1 + 4)
            r0 = 0
            r4 = r2
            r4 += 14
            if r4 > r3 goto above
            exit
            above:
            r4 += -14
            if r4 > r3 goto out
            r0 = *(u8 *)(r2 + 100)
            out:
            exit
            """,
            "are proved"
        );
    }

    [Fact]
    public void APacketPointerInTheStackIsProvedToo()
    {
        Programs.Verify(
            """
            r2 = *(u32 *)(r1 + 0)
            r3 = *(u32 *)(r1 + 4)
            r0 = 0
            *(u64 *)(r10 - 8) = r2
            r4 = r2
            r4 += 14
            if r4 > r3 goto out
            r5 = *(u64 *)(r10 - 8)
            r0 = *(u8 *)(r5 + 13)
            out:
            exit
            """
        );
    }

    [Fact]
    public void AfterAHelperThatMovesThePacketItsPointersAreOnlyNumbers()
    {
        const string Start = """
            r6 = r1
            r7 = *(u32 *)(r1 + 0)
            r8 = *(u32 *)(r1 + 4)
            r2 = r7
            r2 += 14
            r0 = 0
            if r2 > r8 goto out
            r1 = r6
            r2 = 0
            call 44
            """;
        Programs.Rejects($"{Start}\nr0 = *(u8 *)(r7 + 0)\nout:\nexit", "reads from r7, which is a number");
        Programs.Verify(
            $"""
            {Start}
            r7 = *(u32 *)(r6 + 0)
            r8 = *(u32 *)(r6 + 4)
            r2 = r7
            r2 += 14
            r0 = 0
            if r2 > r8 goto out
            r0 = *(u8 *)(r7 + 13)
            out:
            exit
            """
        );
    }

    [Fact]
    public void TheEndCannotBeMoved() =>
        Programs.Rejects("r2 = *(u32 *)(r1 + 4)\nr2 += -1\nr0 = 0\nexit", "which cannot be moved");

    [Fact]
    public void TheRejectionSaysWhatIsMissing()
    {
        var error = Programs.Rejects(
            Programs.Packet(14, "r0 = *(u32 *)(r2 + 12)"),
            "reads bytes 12 to 15 of the packet but only 14 are proved to be there"
        );
        Assert.Equal(5, error.Slot);
        Assert.Equal("r0 = *(u32 *)(r2 + 0xc)", error.Instruction);
        Assert.Contains("plus 16 with data_end", error.Hint, StringComparison.Ordinal);
    }

    private static void Check(string text, bool isSafe)
    {
        if (isSafe)
        {
            Programs.Verify(text);
        }
        else
        {
            Programs.Rejects(text, "are proved to be there");
        }
    }
}
