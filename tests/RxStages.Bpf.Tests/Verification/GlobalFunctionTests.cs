using RxStages.Bpf.Compilation;
using RxStages.Bpf.Interpretation;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Verification;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Verification;

/// <summary>What the kernel says of global functions is in the verdict corpus; here is what it does not show.</summary>
public class GlobalFunctionTests
{
    [Fact]
    public void AGlobalFunctionIsVerifiedOnceHoweverOftenItIsCalled()
    {
        const string Loop = "body:\nr0 = 0\nloop:\nr0 += 1\nif r0 < 1000 goto loop\nexit";
        var tenCalls = string.Concat(Enumerable.Repeat("call body\n", 10)) + "exit\n";
        var asStatic = Verify(tenCalls + Loop, prototype: null).Statistics.InstructionsVisited;
        var asGlobal = Verify(tenCalls + Loop, Takes()).Statistics.InstructionsVisited;
        Assert.InRange(asStatic, 20_000, 30_000);
        Assert.InRange(asGlobal, 2_000, 3_000);
    }

    [Fact]
    public void NullIsNoArgumentThatIsNotNull() =>
        Rejects("r1 = 0\ncall body\nexit\nbody:\nr0 = *(u8 *)(r1 + 0)\nexit", new(ParameterKind.Memory) { Size = 1 });

    [Fact]
    public void AProblemOfAPrototypeIsOneOfWhoCallsIt()
    {
        var error = Assert.Throws<VerificationException>(() =>
            Verify("call body\nexit\nbody:\nr0 = 0\nexit", new FunctionPrototype([], "it is odd"))
        );
        Assert.Contains("it is odd", error.Problem, StringComparison.Ordinal);
        Assert.Equal(0, error.Slot);
    }

    [Fact]
    public void AGlobalFunctionWritesToItsCallersStack()
    {
        const string Text = """
            *(u64 *)(r10 - 8) = 40
            r1 = r10
            r1 += -8
            r2 = 2
            call body
            r0 = *(u64 *)(r10 - 8)
            exit
            body:
            r0 = 0
            if r1 == 0 goto out
            lock *(u64 *)(r1 + 0) += r2
            out:
            exit
            """;
        var verified = Verify(
            Text,
            new FunctionPrototype(
                [new(ParameterKind.Memory) { Size = 8, MayBeNull = true }, new(ParameterKind.Scalar)],
                Problem: null
            )
        );
        using var packet = new TestPacket(new byte[64]);
        using var compiled = IlCompiler.Compile(verified, []);
        using var interpreted = new InterpretedProgram(verified.Spec, []);
        Assert.Equal(42u, packet.Run(compiled));
        Assert.Equal(42u, packet.Run(interpreted));
    }

    [Fact]
    public void ReadingWhatMayPointNowhereIsZero()
    {
        var verified = Verify(
            "r1 = 64\ncall body\nexit\nbody:\nr0 = *(u64 *)(r1 + 0)\nr0 += 3\nexit",
            Takes(ParameterKind.UntrustedMemory)
        );
        using var packet = new TestPacket(new byte[64]);
        using var compiled = IlCompiler.Compile(verified, []);
        Assert.Equal(3u, packet.Run(compiled));
    }

    [Fact]
    public void AFunctionThatNobodyCallsIsNotVerified()
    {
        var verified = Verify(
            "r0 = 2\nif r0 == 2 goto out\ncall body\nout:\nexit\nbody:\nr0 = *(u8 *)(r0 + 0)\nexit",
            Takes()
        );
        Assert.False(verified.FactsBySlot[verified.Functions[1].Start].IsReachable);
        using var packet = new TestPacket(new byte[64]);
        using var compiled = IlCompiler.Compile(verified, []);
        Assert.Equal(2u, packet.Run(compiled));
    }

    private static FunctionPrototype Takes(params ParameterKind[] kinds) =>
        new([.. kinds.Select(kind => new PrototypeParameter(kind))], Problem: null);

    private static void Rejects(string text, PrototypeParameter parameter) =>
        Assert.Throws<VerificationException>(() => Verify(text, new FunctionPrototype([parameter], Problem: null)));

    /// <summary>Verifies a program whose only function is of a prototype, or static.</summary>
    private static VerifiedProgram Verify(string text, FunctionPrototype? prototype)
    {
        var spec = Programs.Assemble(text);
        var global = spec.Functions[1] with { IsGlobal = prototype is not null, Prototype = prototype };
        return Verifier.Verify(spec with { Functions = [spec.Functions[0], global] }, []);
    }
}
