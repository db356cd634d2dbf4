using System.Collections.Immutable;
using RxStages.Bpf.Compilation;
using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Tests.Compilation;

/// <summary>
/// RyuJIT compiles what is too large for it without optimisation and does not say so. These tests ask the runtime.
/// </summary>
public class OptimizationTests
{
    [Fact]
    public void NoChunkOfALargeProgramIsCompiledUnoptimised()
    {
        using var events = new JitEvents();
        var name = "large" + Guid.NewGuid().ToString("N");
        using var program = Trusted.Compile(LargeProgram, name: name);
        using var vector = new TestVector([1, 2, 3]);
        vector.Run(program);
        var methods = events.Of(name);
        Assert.InRange(methods.Count, 4, 12);
        Assert.DoesNotContain(methods, method => method.Tier == JitEvents.MinOpts);
    }

    [Fact]
    public void WithoutChunksTheSameProgramWouldBeCompiledUnoptimised()
    {
        using var events = new JitEvents();
        var name = "uncut" + Guid.NewGuid().ToString("N");
        var unlimited = new MethodLimits
        {
            Instructions = int.MaxValue,
            IlBytes = int.MaxValue,
            Blocks = int.MaxValue,
            LocalReferences = int.MaxValue,
        };
        using var program = Trusted.Compile(
            LargeProgram,
            options: new CompilerOptions { Limits = unlimited },
            name: name
        );
        using var vector = new TestVector([1, 2, 3]);
        vector.Run(program);
        Assert.Equal((name, JitEvents.MinOpts), Assert.Single(events.Of(name)));
    }

    private static ImmutableArray<Instruction> LargeProgram { get; } =
        Assembler.Assemble(RandomXdpPrograms.Next(seed: 1, length: 6000));
}
