using RxStages.Bpf.Isa;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Programs;
using RxStages.Bpf.Tests.Compilation;
using RxStages.Bpf.Tests.Objects;

namespace RxStages.Bpf.Tests.Programs;

public sealed class ProgramChainTests : IDisposable
{
    private const uint Pass = 1 << 2;
    private readonly List<LoadedObject> _objects = [];

    [Theory]
    [InlineData("replaceable.clang-14")]
    [InlineData("replaceable.clang-19")]
    public void ObjectsSayWhereTheirProgramsStand(string name)
    {
        var spec = TestObjects.Read(name);
        Assert.Equal(new RunConfig(10, Pass | (1 << 1)), spec.FindProgram("program").RunConfig);
        Assert.Equal(new RunConfig(60, 0), spec.FindProgram("last").RunConfig);
        Assert.Equal(RunConfig.Default, spec.FindProgram("plain").RunConfig);
    }

    [Fact]
    public void ProgramsRunInOrderOfPriorityThenName()
    {
        var loaded = LoadedObject.Load(TestObjects.Read("replaceable.clang-19"));
        _objects.Add(loaded);
        var entries = new[] { "last", "plain", "program" }.Select(name => new ChainEntry(loaded, name));
        using var chain = new ProgramChain(entries);
        Assert.Equal(["program", "plain", "last"], chain.Programs);
        Assert.True(chain.IsPacketByPacket);
        using var vector = new TestVector(new byte[64]);
        Assert.Equal([3u], vector.Run(chain));
    }

    [Fact]
    public void APacketGoesOnWhileVerdictsAreInTheSet()
    {
        // The first drops what begins with 1, the second sends back what has 1 behind.
        using var chain = new ProgramChain([
            Entry("r0 = 2\nif r4 != 1 goto +1\nr0 = 1\nexit", new RunConfig(1, Pass)),
            Entry("r0 = 2\nif r5 != 1 goto +1\nr0 = 3\nexit", new RunConfig(2, Pass)),
        ]);
        Assert.False(chain.IsPacketByPacket);
        using var vector = new TestVector(Packet(0, 0), Packet(1, 0), Packet(0, 1), Packet(1, 1));
        Assert.Equal([2u, 1u, 3u, 1u], vector.Run(chain));
    }

    [Fact]
    public void AfterTheLastProgramPacketsPass()
    {
        using var chain = new ProgramChain([Entry("r0 = 3\nexit", new RunConfig(1, 1 << 3))]);
        using var vector = new TestVector(new byte[64]);
        Assert.Equal([2u], vector.Run(chain));
    }

    [Theory]
    [InlineData(34u, 2u)] // 34 & 31 is XDP_PASS
    [InlineData(31u, 2u)] // what the dispatcher itself returns where nothing is attached
    [InlineData(5u, 5u)]
    [InlineData(0xffffffffu, 2u)]
    public void VerdictsThatAreNoneCountAsInTheDispatcher(uint verdict, uint expected)
    {
        using var chain = new ProgramChain([Entry($"w0 = {(int)verdict}\nexit", new RunConfig(1, Pass))]);
        using var vector = new TestVector(new byte[64]);
        Assert.Equal([expected], vector.Run(chain));
    }

    [Fact]
    public void ProgramsThatShareRandomNumbersMeetPacketsOneByOne()
    {
        const string random = "call 7\nr0 = 2\nexit";
        using var one = new ProgramChain([Entry(random, null), Entry("r0 = 2\nexit", null)]);
        Assert.False(one.IsPacketByPacket);
        using var two = new ProgramChain([Entry(random, null), Entry(random, null)]);
        Assert.True(two.IsPacketByPacket);
    }

    [Fact]
    public void LongVectorsAreRunWhole()
    {
        using var chain = new ProgramChain([Entry("r0 = 2\nif r4 != 1 goto +1\nr0 = 1\nexit", null)]);
        using var vector = new TestVector([.. Enumerable.Range(0, 200).Select(i => Packet((byte)(i % 2), 0))]);
        Assert.Equal(Enumerable.Range(0, 200).Select(i => i % 2 == 0 ? 2u : 1u), vector.Run(chain));
    }

    public void Dispose() => _objects.ForEach(loaded => loaded.Dispose());

    private static byte[] Packet(byte first, byte second) => [first, second, .. new byte[62]];

    /// <summary>A program that finds the packet's first bytes in r4 and r5.</summary>
    private ChainEntry Entry(string text, RunConfig? config)
    {
        var code = Assembler.Assemble(
            $"""
            r2 = *(u32 *)(r1 + 0)
            r3 = *(u32 *)(r1 + 4)
            r6 = r2
            r6 += 2
            r0 = 0
            if r6 > r3 goto out
            r4 = *(u8 *)(r2 + 0)
            r5 = *(u8 *)(r2 + 1)
            {text}
            out:
            exit
            """
        );
        var loaded = LoadedObject.Load(
            new ObjectSpec
            {
                Source = "test",
                License = "GPL",
                Maps = [],
                Programs =
                [
                    new ProgramSpec
                    {
                        Name = "p",
                        Section = "xdp",
                        Instructions = [.. code],
                        Functions = [new FunctionSpec("p", 0, code.Length, false, 0)],
                    },
                ],
            }
        );
        _objects.Add(loaded);
        return new ChainEntry(loaded, null, config);
    }
}
