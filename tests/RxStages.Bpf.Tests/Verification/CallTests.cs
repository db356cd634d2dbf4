using RxStages.Bpf.Objects;
using RxStages.Bpf.Verification;

namespace RxStages.Bpf.Tests.Verification;

/// <summary>Functions, helpers, maps and the context.</summary>
public class CallTests
{
    [Theory]
    [InlineData("r1 = *(u32 *)(r1 + 0)\nr0 = 0\nexit", null)]
    [InlineData("r0 = *(u32 *)(r1 + 16)\nexit", null)]
    [InlineData("r0 = *(u32 *)(r1 + 20)\nexit", "egress_ifindex")]
    [InlineData("r0 = *(u32 *)(r1 + 24)\nexit", "offset 24 of the context")]
    [InlineData("r0 = *(u16 *)(r1 + 12)\nexit", "reads 2 bytes at offset 12")]
    [InlineData("r0 = *(u64 *)(r1 + 8)\nexit", "reads 8 bytes at offset 8")]
    [InlineData("r0 = *(u32 *)(r1 + 14)\nexit", "offset 14 of the context")]
    [InlineData("r1 += 4\nr0 = *(u32 *)(r1 + 8)\nexit", "moved by 4")]
    [InlineData("*(u32 *)(r1 + 12) = 0\nr0 = 0\nexit", "writes to the context")]
    [InlineData("r0 = *(s32 *)(r1 + 0)\nexit", "sign extension")]
    public void TheContextIsReadFieldByField(string text, string? words) => Check(text, words);

    [Theory]
    [InlineData(6, null)]
    [InlineData(7, "")]
    public void TheNumberOfTheCpuIsBelowHowManyThereAre(int count, string? words)
    {
        // The index of one of the 6 numbers that the array's value has room for.
        var text = Programs.ArrayValue("r7 = r0\ncall 8\nr0 <<= 3\nr7 += r0\n*(u64 *)(r7 + 0) = 1");
        var options = new VerifierOptions { CpuCount = count };
        if (words is null)
        {
            Assert.Equal(count, Verifier.Verify(Programs.Assemble(text), Programs.Maps, options).CpuCount);
        }
        else
        {
            Assert.Throws<VerificationException>(() =>
                Verifier.Verify(Programs.Assemble(text), Programs.Maps, options)
            );
        }
    }

    [Fact]
    public void WhatDoesNotAskForTheCpuRunsOnAny() =>
        Assert.Equal(int.MaxValue, Programs.Verify("r0 = 0\nexit").CpuCount);

    [Fact]
    public void EgressIfindexBelongsToProgramsOnDevmaps() =>
        Verifier.Verify(Programs.Assemble("r0 = *(u32 *)(r1 + 20)\nexit", AttachKind.Devmap), Programs.Maps);

    [Fact]
    public void OneInstructionAccessesTheContextOrOtherMemory()
    {
        Programs.Rejects(
            """
            r2 = *(u32 *)(r1 + 12)
            *(u64 *)(r10 - 8) = 0
            r3 = r1
            if r2 == 1 goto +2
            r3 = r10
            r3 += -8
            r0 = *(u32 *)(r3 + 0)
            exit
            """,
            "the same instruction accesses the context"
        );
    }

    [Fact]
    public void AnInstructionThatAccessesSeveralKindsOfMemoryIsMixed()
    {
        var program = Programs.Verify(
            Programs.ArrayValue(
                """
                r1 = *(u32 *)(r6 + 12)
                if r1 == 1 goto +2
                r0 = r10
                r0 += -8
                *(u32 *)(r0 + 4) = 1
                """
            )
        );
        Assert.Contains(program.FactsBySlot.ToArray(), fact => fact.Region == MemoryRegion.Mixed);
    }

    [Theory]
    [InlineData("r1 = *(u64 *)(r0 + 40)", null)]
    [InlineData("r1 = *(u64 *)(r0 + 41)", "which has 48 bytes")]
    [InlineData("r1 = *(u8 *)(r0 - 1)", "may be negative")]
    [InlineData("lock *(u64 *)(r0 + 40) += r0", null)]
    [InlineData("lock *(u64 *)(r0 + 44) += r0", "not a multiple of 8")]
    [InlineData("lock *(u64 *)(r0 + 48) += r0", "which has 48 bytes")]
    [InlineData("lock *(u32 *)(r6 + 12) += r0", "atomic instruction on r6")]
    public void AMapValueIsAccessedInsideItsBounds(string access, string? words) =>
        Check(Programs.ArrayValue(access), words);

    [Fact]
    public void ALookUpMayFindNothing()
    {
        const string LookUp = "*(u32 *)(r10 - 4) = 9\nr2 = r10\nr2 += -4\nr1 = map[0] ll\ncall 1\n";
        Programs.Rejects($"{LookUp}r1 = *(u32 *)(r0 + 0)\nr0 = 0\nexit", "may be null");
        Programs.Rejects($"{LookUp}r0 += 4\nr0 = 0\nexit", "may be null");
        Programs.Rejects($"{LookUp}if r0 != 0 goto +1\nr1 = *(u32 *)(r0 + 0)\nr0 = 0\nexit", "which is a number");
        Programs.Verify($"{LookUp}r7 = r0\nif r0 == 0 goto +1\nr1 = *(u32 *)(r7 + 0)\nr0 = 0\nexit");
        Programs.Verify(
            $"{LookUp}*(u64 *)(r10 - 16) = r0\nif r0 == 0 goto +2\nr7 = *(u64 *)(r10 - 16)\nr1 = *(u32 *)(r7 + 0)\nr0 = 0\nexit"
        );
    }

    [Theory]
    [InlineData(3, true)]
    [InlineData(4, false)]
    public void AnArrayAlwaysFindsAConstantIndexInRange(int index, bool isFound)
    {
        var text =
            $"*(u32 *)(r10 - 8) = {index}\nr2 = r10\nr2 += -8\nr1 = map[0] ll\ncall 1\nr0 = *(u32 *)(r0 + 0)\nexit";
        Check(text, isFound ? null : "may be null");
    }

    [Theory]
    [InlineData("r2 = r10\nr2 += -4", "of the stack")]
    [InlineData("r2 = r10\nr2 += -8", null)]
    [InlineData("r2 = 5", "which is a number|a number, but the helper expects")]
    public void AKeyIsMemoryOfItsSize(string key, string? words)
    {
        var text = $"*(u64 *)(r10 - 8) = 0\n{key}\nr1 = map[1] ll\ncall 1\nr0 = 0\nexit";
        Check(text, words?.Split('|')[^1]);
    }

    [Theory]
    [InlineData("r1 = map[2] ll\nr2 = r10\nr2 += -4\ncall 1", "does not work on map 'programs'")]
    [InlineData("r1 = map[3] ll\nr2 = r10\nr2 += -4\ncall 3", "does not work on map 'devices'")]
    [InlineData("r1 = map[0] ll\nr2 = 0\nr3 = 0\ncall 51", "does not work on map 'array'")]
    [InlineData("r1 = map[3] ll\nr2 = 0\nr3 = 0\ncall 51", null)]
    [InlineData("r1 = map[7] ll\nr2 = r10\nr2 += -4\ncall 1", "does not work on map 'ring'")]
    [InlineData("call 9999", "there is no helper 9999")]
    [InlineData("call 26", "helper bpf_skb_load_bytes (number 26) is not one for XDP programs")]
    [InlineData("r2 = map[2] ll\nr3 = 1\ncall 12", null)]
    [InlineData("r2 = map[0] ll\nr3 = 1\ncall 12", "does not work on map 'array'")]
    [InlineData("r1 = r10\nr2 = map[2] ll\nr3 = 1\ncall 12", "expects the context in r1")]
    public void AHelperTakesTheMapsItIsFor(string text, string? words) =>
        Check($"*(u32 *)(r10 - 4) = 1\n{text}\nr0 = 0\nexit", words);

    [Theory]
    [InlineData("r1 = map_value[5]+8 ll\n*(u64 *)(r1 + 0) = 1", null)]
    [InlineData("r1 = map_value[5]+8 ll\n*(u64 *)(r1 + 1) = 1", "which has 16 bytes")]
    [InlineData("r1 = map_value[5]+16 ll", "behind the 16 bytes")]
    [InlineData("r1 = map_value[0]+0 ll", "which only an array of one entry has")]
    [InlineData("r1 = map_value[4]+0 ll\n*(u32 *)(r1 + 0) = 1", "read-only for programs")]
    [InlineData("r1 = map_value[8]+0 ll\nr2 = *(u32 *)(r1 + 0)", "write-only for programs")]
    [InlineData("r1 = map_value[8]+0 ll\n*(u32 *)(r1 + 0) = 1", null)]
    public void GlobalDataIsAMapValue(string text, string? words) => Check($"{text}\nr0 = 0\nexit", words);

    [Theory]
    [InlineData("*(u32 *)(r1 + 0)", true)]
    [InlineData("*(u32 *)(r1 + 4)", false)]
    [InlineData("*(u8 *)(r1 + 0)", true)]
    [InlineData("*(s16 *)(r1 + 8)", false)]
    [InlineData("*(u16 *)(r1 + 12)", true)]
    public void AFrozenMapIsConstant(string load, bool isSafe)
    {
        // 40 fits the 48 bytes of the array's value less 8; 41 does not, nor does -1.
        Check(
            Programs.ArrayValue($"r1 = map_value[4]+0 ll\nr1 = {load}\nr0 += r1\nr0 = *(u64 *)(r0 + 0)"),
            isSafe ? null : "value of map 'array'"
        );
    }

    [Fact]
    public void AHelperForGplProgramsIsRefusedToOthers()
    {
        const string Print = "*(u64 *)(r10 - 8) = 0\nr1 = r10\nr1 += -8\nr2 = 8\ncall 6\nr0 = 0\nexit";
        Programs.Verify(Print);
        Programs.Rejects(Print, "GPL-compatible", new VerifierOptions { License = "MIT" });
    }

    [Theory]
    [InlineData("r2 = 8", null)]
    [InlineData("r2 = 9", "of the stack")]
    [InlineData("r2 = 0", "may be 0")]
    [InlineData("r2 = -1", "may be negative")]
    [InlineData("r2 = *(u32 *)(r6 + 12)\nr2 &= 7\nr2 += 1", null)]
    [InlineData("r2 = *(u32 *)(r6 + 12)\nr2 &= 7", "may be 0")]
    [InlineData("r2 = *(u32 *)(r6 + 12)\nr2 += 1", "not bounded")]
    public void ASizeIsBounded(string size, string? words) =>
        Check($"r6 = r1\n*(u64 *)(r10 - 8) = 0\n{size}\nr1 = r10\nr1 += -8\ncall 6\nr0 = 0\nexit", words);

    [Fact]
    public void FactsNameTheMapOfACall()
    {
        var program = Programs.Verify(
            """
            r2 = map[2] ll
            r3 = 5
            call 12
            r0 = 0
            exit
            """
        );
        Assert.Equal(3, program.FactsBySlot[3].MapIndexPlusOne);
    }

    [Fact]
    public void ATailCallInAFunctionMayReturnToTheCallerWithAnything()
    {
        // If only the way behind the tail call were followed, r0 would be 0 and the access safe.
        Programs.Rejects(
            """
            r6 = r1
            call f
            r1 = *(u32 *)(r6 + 12)
            r2 = r10
            r2 += -8
            r2 += r0
            *(u8 *)(r2 + 0) = 1
            r0 = 0
            exit
            f:
            r2 = map[2] ll
            r3 = 0
            call 12
            r0 = 0
            exit
            """,
            "without a known lower bound"
        );
    }

    [Fact]
    public void WhereATailCallFailsThePacketHasNotMoved() =>
        Programs.Verify(
            $"""
            r6 = r1
            call f
            exit
            f:
            r6 = r1
            {Programs.Packet(8, "r7 = r2\nr1 = r6\nr2 = map[2] ll\nr3 = 0\ncall 12\nr0 = *(u8 *)(r7 + 7)")}
            """
        );

    [Fact]
    public void ATailCallInAFunctionVoidsThePacketPointersOfItsCaller()
    {
        // The kernel takes such programs only with BTF, so that they are no cases of the verdict corpus.
        const string Callee = "f:\nr2 = map[2] ll\nr3 = 0\ncall 12\nr0 = 0\nexit";
        var caller = Programs.Packet(8, "r7 = r2\n{0}call f\nr0 = *(u8 *)(r7 + 7)");
        Programs.Rejects(
            caller.Replace("{0}", "", StringComparison.Ordinal) + "\n" + Callee,
            "reads from r7, which is a number"
        );
        const string Spilled = "*(u64 *)(r10 - 8) = r2\ncall f\nr7 = *(u64 *)(r10 - 8)\nr0 = *(u8 *)(r7 + 7)";
        Programs.Rejects(Programs.Packet(8, Spilled) + "\n" + Callee, "r7, which is a number");
    }

    [Fact]
    public void AFunctionIsVerifiedWithWhatItsCallersPass()
    {
        const string Callee = "f:\nr0 = *(u32 *)(r1 + 12)\nexit";
        Programs.Verify($"call f\nexit\n{Callee}");
        Programs.Rejects($"r1 = 0\ncall f\nexit\n{Callee}", "which is a number");
        Programs.Rejects("r6 = 1\ncall f\nexit\nf:\nr0 = r6\nexit", "r6 is read");
        Programs.Rejects("r0 = 7\ncall f\nexit\nf:\nr1 = 0\nexit", "r0 is read");
        Programs.Rejects("r2 = 7\ncall f\nr0 = r2\nexit\nf:\nr0 = 0\nexit", "r2 is read");
    }

    [Fact]
    public void RecursionIsRejected()
    {
        Programs.Rejects("call f\nexit\nf:\ncall f\nexit", "recursion");
        Programs.Rejects("call f\nexit\nf:\ncall g\nexit\ng:\ncall f\nexit", "recursion");
    }

    [Theory]
    [InlineData(8, true)]
    [InlineData(9, false)]
    public void CallsAreNestedEightDeep(int functions, bool isSafe)
    {
        var text = string.Concat(
            Enumerable.Range(1, functions - 1).Select(index => $"call f{index}\nexit\nf{index}:\n")
        );
        Check($"{text}r0 = 0\nexit", isSafe ? null : "nested deeper than 8");
    }

    [Fact]
    public void TheMessageGivesTheSourceLine()
    {
        var spec = Programs.Assemble("r0 = *(u32 *)(r1 + 24)\nexit") with
        {
            Lines = [new SourceLine(0, "filter.bpf.c", 12, 7, "  return ctx->nothing;")],
        };
        var error = Assert.Throws<VerificationException>(() => Verifier.Verify(spec, Programs.Maps));
        Assert.Equal(12, error.Line?.Line);
        Assert.StartsWith("test: filter.bpf.c:12:7: reads 4 bytes", error.Message, StringComparison.Ordinal);
        Assert.Contains("\n    return ctx->nothing;\n", error.Message, StringComparison.Ordinal);
    }

    private static void Check(string text, string? words)
    {
        if (words is null)
        {
            Programs.Verify(text);
        }
        else
        {
            Programs.Rejects(text, words);
        }
    }
}
