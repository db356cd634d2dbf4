using RxStages.Bpf.Compilation;

namespace RxStages.Bpf.Tests.Compilation;

public class ChunkTests
{
    /// <summary>Large limits and tiny ones must not differ in what a program returns.</summary>
    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 3)]
    [InlineData(7, 8)]
    [InlineData(40, 20)]
    public void HowAProgramIsCutDoesNotChangeItsResult(int instructions, int seeds)
    {
        for (var seed = 0; seed < seeds; seed++)
        {
            var text = RandomXdpPrograms.Next(seed, 120);
            var packet = new byte[64];
            new Random(seed).NextBytes(packet);
            using var whole = Trusted.Compile(text);
            using var cut = Trusted.Compile(
                text,
                options: new CompilerOptions { Limits = new MethodLimits { Instructions = instructions } }
            );
            using var vector = new TestVector(packet, packet[..20], packet[10..]);
            Assert.Equal(vector.Run(whole), vector.Run(cut));
        }
    }

    [Fact]
    public void AFunctionInChunksIsCalledLikeAnyOther()
    {
        var text = """
            r6 = *(u32 *)(r1 + 16)
            r1 = r6
            r2 = 0
            call sum
            r0 += r6
            exit
            sum:
            *(u64 *)(r10 - 8) = r2
            again:
            r3 = *(u64 *)(r10 - 8)
            r3 += r1
            *(u64 *)(r10 - 8) = r3
            r1 -= 1
            if r1 s> 0 goto again
            r0 = *(u64 *)(r10 - 8)
            exit
            """;
        using var program = Trusted.Compile(
            text,
            options: new CompilerOptions { Limits = new MethodLimits { Instructions = 2 } }
        );
        using var vector = new TestVector([1], [2], [3], [4]);
        Assert.Equal([0u, 2u, 5u, 9u], vector.Run(program));
    }
}
