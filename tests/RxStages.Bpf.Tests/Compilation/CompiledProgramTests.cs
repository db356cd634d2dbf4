using RxStages.Bpf.Compilation;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Runtime;
using RxStages.Bpf.Verification;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Compilation;

public unsafe class CompiledProgramTests
{
    private const string DropByFirstByte = """
        r2 = *(u32 *)(r1 + 0)
        r3 = *(u32 *)(r1 + 4)
        r0 = 2
        r4 = r2
        r4 += 1
        if r4 > r3 goto out
        r5 = *(u8 *)(r2 + 0)
        if r5 != 0xff goto out
        r0 = 1
        out:
        exit
        """;

    [Fact]
    public void EveryPacketOfAVectorGetsItsOwnVerdict()
    {
        using var program = Trusted.Compile(DropByFirstByte);
        using var vector = new TestVector([0xff], [0], [], [0xff, 1]);
        Assert.Equal([1u, 2u, 2u, 1u], vector.Run(program));
    }

    [Fact]
    public void AnEmptyVectorIsAllowed()
    {
        using var program = Trusted.Compile(DropByFirstByte);
        using var vector = new TestVector([0xff]);
        program.RunVector(vector.Packets, vector.Verdicts, 0, vector.Runtime);
        Assert.Equal(0u, vector.Verdicts[0]);
    }

    [Theory]
    [InlineData("r0 = *(u32 *)(r1 + 12)", 0x11223344u)]
    [InlineData("r0 = *(u16 *)(r1 + 12)", 0x3344u)]
    [InlineData("r0 = *(u8 *)(r1 + 15)", 0x11u)]
    [InlineData("r0 = *(u32 *)(r1 + 16)", 0u)]
    [InlineData("r0 = *(u32 *)(r1 + 20)", 9u)]
    [InlineData("r0 = *(u32 *)(r1 + 4)\nr2 = *(u32 *)(r1 + 0)\nr0 -= r2", 3u)]
    [InlineData("r0 = *(u32 *)(r1 + 0)\nr2 = *(u32 *)(r1 + 8)\nr0 -= r2", 0u)]
    public void ContextFieldsAreThoseOfThePacket(string text, uint expected)
    {
        using var program = Trusted.Compile(text + "\nexit");
        using var vector = new TestVector([1, 2, 3]);
        Assert.Equal([expected], vector.Run(program));
    }

    [Fact]
    public void VerdictsAreTheLow32BitsOfR0()
    {
        using var program = Trusted.Compile("r0 = 0x700000002 ll\nexit");
        using var vector = new TestVector([1]);
        Assert.Equal([2u], vector.Run(program));
    }

    [Theory]
    [InlineData(0, 7)]
    [InlineData(3, 10)]
    public void AFunctionIsCalledBackAsOftenAsIsKnown(int count, uint expected)
    {
        var verified = Verifier.Verify(
            Verification.Programs.Assemble(
                $"""
                *(u64 *)(r10 - 8) = 7
                r1 = {count}
                r2 = function body ll
                r3 = r10
                r3 += -8
                r4 = 0
                call 181
                r0 = *(u64 *)(r10 - 8)
                exit
                body:
                r1 = *(u64 *)(r2 + 0)
                r1 += 1
                *(u64 *)(r2 + 0) = r1
                r0 = 0
                exit
                """
            ),
            []
        );
        using var program = IlCompiler.Compile(verified, []);
        using var vector = new TestVector([1]);
        Assert.Equal([expected], vector.Run(program));
    }

    [Fact]
    public void AStackThatIsReadBeforeItIsWrittenIsZeroForEveryPacket()
    {
        // Reads a counter on the stack, then leaves a number there for a next packet to find.
        using var program = Trusted.Compile(
            "r0 = *(u64 *)(r10 - 8)\nr1 = 77\n*(u64 *)(r10 - 8) = r1\nexit",
            readsUninitializedStack: true
        );
        using var vector = new TestVector([1], [2], [3]);
        Assert.Equal([0u, 0u, 0u], vector.Run(program));
    }

    [Fact]
    public void ARedirectTargetMovesToThePacketThatIsRedirected()
    {
        // Every packet chooses its queue number plus 100 as the target; only those with data return XDP_REDIRECT.
        using var program = Trusted.Compile(
            """
            r6 = r1
            r1 = *(u32 *)(r6 + 16)
            r1 += 100
            r2 = 0
            call 23
            r1 = *(u32 *)(r6 + 0)
            r2 = *(u32 *)(r6 + 4)
            if r1 != r2 goto out
            r0 = 2
            out:
            exit
            """
        );
        using var vector = new TestVector([1], [], [3]);
        Assert.Equal([4u, 2u, 4u], vector.Run(program));
        var targets = Enumerable.Range(0, 3).Select(i => Target(vector, i)).ToArray();
        Assert.Equal(
            [(RedirectKind.Interface, 100u), (RedirectKind.None, 0u), (RedirectKind.Interface, 102u)],
            targets
        );
        Assert.Equal(RedirectKind.None, vector.Runtime->Redirect.Kind);
    }

    [Fact]
    public void FunctionsGetTheirArgumentsAndKeepTheCallersRegisters()
    {
        using var program = Trusted.Compile(
            """
            r6 = *(u32 *)(r1 + 16)
            r1 = r6
            r2 = 3
            call multiply
            r0 += r6
            exit
            multiply:
            r6 = r1
            r6 *= r2
            *(u64 *)(r10 - 8) = r6
            r0 = *(u64 *)(r10 - 8)
            exit
            """
        );
        using var vector = new TestVector([1], [2], [3], [4]);
        Assert.Equal([0u, 4u, 8u, 12u], vector.Run(program));
    }

    [Fact]
    public void RunningAVectorAllocatesNothing()
    {
        using var program = Trusted.Compile(DropByFirstByte);
        using var vector = new TestVector([0xff], [0], [1, 2]);
        Allocation.ExpectNone(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                program.RunVector(vector.Packets, vector.Verdicts, 3, vector.Runtime);
            }
        });
    }

    [Fact]
    public void AsTheTargetOfATailCallItRunsOnOnePacket()
    {
        using var program = Trusted.Compile(DropByFirstByte);
        using var vector = new TestVector([0xff], [0]);
        Assert.Equal(1UL, program.RunTail(vector.Packets[0], vector.Runtime));
        Assert.Equal(2UL, program.RunTail(vector.Packets[1], vector.Runtime));
    }

    private static (RedirectKind, uint) Target(TestVector vector, int packet) =>
        (vector.Packets[packet]->Redirect.Kind, vector.Packets[packet]->Redirect.Value);
}
