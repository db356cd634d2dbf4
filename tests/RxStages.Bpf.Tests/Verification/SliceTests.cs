using RxStages.Bpf.Objects;
using RxStages.Bpf.Verification;

namespace RxStages.Bpf.Tests.Verification;

/// <summary>
/// Slices of the packet that may be copies in a buffer. The kernel takes the programs that are refused here: what they
/// write to the slice can reach stack that holds something else by then.
/// </summary>
public class SliceTests
{
    /// <summary>Makes a dynptr at r10 - 16 and a slice of 8 bytes of it, with a buffer in r3.</summary>
    private const string Slice = """
        call kfunc[1]
        if r0 == 0 goto out
        """;

    private const string Dynptr = """
        r2 = 0
        r3 = r10
        r3 += -16
        call kfunc[0]
        r1 = r10
        r1 += -16
        r2 = 0
        r4 = 8
        """;

    private const string OnStack = "\nr3 = r10\nr3 += -24\n";

    private const string End = "\nout:\nr0 = 2\nexit";

    [Fact]
    public void WhatIsWrittenToASliceMayBeWrittenToItsBuffer() =>
        Assert.Contains(
            "is a number",
            Reject(
                Dynptr
                    + OnStack
                    + Slice
                    + """

                    *(u64 *)(r10 - 24) = r10
                    *(u64 *)(r0 + 0) = 1
                    r1 = *(u64 *)(r10 - 24)
                    r0 = *(u64 *)(r1 - 32)
                    """
                    + End
            ),
            StringComparison.Ordinal
        );

    [Fact]
    public void NumbersInTheBufferAreNotKnownWhenTheSliceWasWritten() =>
        Assert.Contains(
            "a pointer to a map value is",
            Reject(
                "r6 = r1\n"
                    + Dynptr
                    + OnStack
                    + Slice
                    + """

                    *(u64 *)(r10 - 24) = 8
                    *(u8 *)(r0 + 7) = 255
                    r1 = *(u64 *)(r10 - 24)
                    r2 = map_value[5]+0 ll
                    r2 += r1
                    r0 = *(u8 *)(r2 + 0)
                    """
                    + End
            ),
            StringComparison.Ordinal
        );

    [Fact]
    public void ADynptrCannotStandInTheBufferWhenTheSliceIsWritten() =>
        Assert.Contains(
            "dynptr",
            Reject(
                "r6 = r1\n"
                    + Dynptr
                    + "\nr3 = r10\nr3 += -32\n"
                    + Slice
                    + """

                    r7 = r0
                    r1 = r6
                    r2 = 0
                    r3 = r10
                    r3 += -32
                    call kfunc[0]
                    *(u64 *)(r7 + 0) = 1
                    """
                    + End
            ),
            StringComparison.Ordinal
        );

    [Fact]
    public void ASliceEndsWithTheFunctionThatHasItsBuffer() =>
        Reject(
            $"""
            call function
            if r0 == 0 goto out
            *(u64 *)(r0 + 0) = 1
            out:
            r0 = 2
            exit
            function:
            {Dynptr}
            {OnStack}
            call kfunc[1]
            exit
            """
        );

    [Fact]
    public void ASliceThatAFunctionLeavesToItsCallerEndsWithIt() =>
        Reject(
            $"""
            r2 = r10
            r2 += -8
            call function
            r0 = *(u64 *)(r10 - 8)
            if r0 == 0 goto out
            *(u64 *)(r0 + 0) = 1
            out:
            r0 = 2
            exit
            function:
            r6 = r2
            {Dynptr}
            {OnStack}
            call kfunc[1]
            *(u64 *)(r6 + 0) = r0
            exit
            """
        );

    [Fact]
    public void ABufferCannotBeARecordThatIsSubmittedBeforeTheSliceIsWritten() =>
        Assert.Contains(
            "may be gone",
            Reject(
                $"""
                r6 = r1
                r1 = map[7] ll
                r2 = 8
                r3 = 0
                call 131
                if r0 == 0 goto out
                r7 = r0
                r1 = r6
                {Dynptr}
                r3 = r7
                call kfunc[1]
                r6 = r0
                r1 = r7
                r2 = 0
                call 132
                if r6 == 0 goto out
                *(u64 *)(r6 + 0) = 1
                """ + End
            ),
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("r3 = 0")]
    [InlineData("r3 = r10\nr3 += -24")]
    [InlineData("r3 = map_value[5]+0 ll")]
    public void SlicesAreWrittenWhateverTheirBufferIs(string buffer) =>
        Verify(Dynptr + "\n" + buffer + "\n" + Slice + "\n*(u64 *)(r0 + 0) = 1\nr0 = *(u64 *)(r10 - 24)" + End);

    [Fact]
    public void AFunctionGivesASliceBackThatHasItsCallersBuffer() =>
        Verify(
            $"""
            r2 = r10
            r2 += -24
            call function
            if r0 == 0 goto out
            *(u64 *)(r0 + 0) = 1
            out:
            r0 = 2
            exit
            function:
            r6 = r2
            {Dynptr}
            r3 = r6
            call kfunc[1]
            exit
            """
        );

    private static string Reject(string text) => Assert.Throws<VerificationException>(() => Verify(text)).Message;

    private static void Verify(string text) =>
        Verifier.Verify(
            Programs.Assemble(text) with
            {
                Kfuncs =
                [
                    new KfuncReference("bpf_dynptr_from_xdp", 0, IsWeak: false),
                    new KfuncReference("bpf_dynptr_slice_rdwr", 0, IsWeak: false),
                ],
            },
            Programs.Maps,
            new VerifierOptions { License = "GPL" }
        );
}
