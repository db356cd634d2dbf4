using System.Buffers.Binary;
using System.Collections.Immutable;
using RxStages.Bpf.Compilation;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;
using RxStages.Bpf.Verification;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Compilation;

/// <summary>Calls that work on maps: specialised look-ups, updates, redirects, tail calls.</summary>
public sealed unsafe class MapCallTests : IDisposable
{
    private readonly NativeMap _counters = Create(MapType.Array, 4, 8, 4);
    private readonly NativeMap _perCpu = Create(MapType.PercpuArray, 4, 8, 4);
    private readonly NativeMap _hash = Create(MapType.Hash, 4, 8, 16);
    private readonly ProgramArrayMap _programs = (ProgramArrayMap)Create(MapType.ProgArray, 4, 4, 4);

    /// <summary>Adds 1 to the value at key r7 in the map of the given number.</summary>
    private static string Count(int map) =>
        $"""
            *(u32 *)(r10 - 4) = r7
            r1 = map[{map}] ll
            r2 = r10
            r2 += -4
            call 1
            if r0 == 0 goto missing
            r1 = 1
            lock *(u64 *)(r0 + 0) += r1
            """;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void AnArraysEntriesAreFoundUpToItsEnd(int map)
    {
        using var program = Compile(
            $"""
            r7 = *(u32 *)(r1 + 16)
            {Count(map)}
            r0 = 2
            exit
            missing:
            r0 = 1
            exit
            """
        );
        using var vector = new TestVector(new byte[1], new byte[1], new byte[1], new byte[1], new byte[1]);
        vector.Runtime->Cpu = map;
        // The packets' queues are 0 to 4, the array has entries 0 to 3.
        Assert.Equal([2u, 2u, 2u, 2u, 1u], vector.Run(program));
        for (var key = 0u; key < 4; key++)
        {
            Assert.Equal(1UL, map == 0 ? Read(_counters, key) : Read(_perCpu, key, cpu: 1));
        }
    }

    [Fact]
    public void AHashIsUpdatedFoundAndDeleted()
    {
        using var program = Compile(
            """
            r7 = *(u32 *)(r1 + 16)
            *(u32 *)(r10 - 4) = r7
            *(u64 *)(r10 - 16) = r7
            r1 = map[2] ll
            r2 = r10
            r2 += -4
            r3 = r10
            r3 += -16
            r4 = 1
            call 2
            r6 = r0
            r1 = map[2] ll
            r2 = r10
            r2 += -4
            call 1
            if r0 == 0 goto missing
            r0 = *(u64 *)(r0 + 0)
            r0 += r6
            r0 += 100
            if r7 != 1 goto out
            r1 = map[2] ll
            r2 = r10
            r2 += -4
            call 3
            out:
            exit
            missing:
            r0 = 7
            exit
            """
        );
        using var vector = new TestVector(new byte[1], new byte[1], new byte[1]);
        Assert.Equal([100u, 0u, 102u], vector.Run(program));
        // BPF_NOEXIST: the keys 0 and 2 are there now, 1 was deleted.
        Assert.Equal([(uint)(100 - Errno.EEXIST), 0u, (uint)(102 - Errno.EEXIST)], vector.Run(program));
    }

    [Fact]
    public void ATailCallSucceeds33TimesForEachPacket()
    {
        using var program = Compile(
            $"""
            r6 = r1
            r7 = 0
            {Count(0)}
            r1 = r6
            r2 = map[3] ll
            r3 = 0
            call 12
            r0 = 2
            exit
            missing:
            r0 = 1
            exit
            """
        );
        _programs.SetProgram(0, program);
        using var vector = new TestVector(new byte[1], new byte[1]);
        Assert.Equal([2u, 2u], vector.Run(program));
        Assert.Equal(2UL * (1 + BpfRuntime.MaxTailCalls), Read(_counters, 0));
    }

    [Theory]
    [InlineData(0, 3u)]
    [InlineData(1, 2u)]
    [InlineData(-1, 2u)]
    [InlineData(4, 2u)]
    public void ATailCallThatFindsNoProgramFallsThrough(int index, uint verdict)
    {
        using var target = Trusted.Compile("r0 = 3\nexit");
        using var program = Compile($"r2 = map[3] ll\nr3 = {index}\ncall 12\nr0 = 2\nexit");
        _programs.SetProgram(0, target);
        using var vector = new TestVector(new byte[1]);
        Assert.Equal([verdict], vector.Run(program));
        Assert.Equal(verdict == 3 ? 1 : 0, vector.Runtime->TailCallCount);
    }

    [Fact]
    public void ATailCallInAFunctionReturnsToItsCaller()
    {
        using var target = Trusted.Compile("r0 = 40\nexit");
        using var jumping = Trusted.Compile(
            Assembler.Assemble(
                """
                call jump
                r0 += 2
                exit
                jump:
                r2 = map[0] ll
                r3 = 0
                call 12
                r0 = 1
                exit
                """
            ),
            [_programs]
        );
        _programs.SetProgram(0, target);
        using var vector = new TestVector(new byte[1]);
        Assert.Equal([42u], vector.Run(jumping));
    }

    [Fact]
    public void RunningTailCallsAndMapCallsAllocatesNothing()
    {
        using var target = Trusted.Compile("r0 = 3\nexit");
        using var program = Compile(
            $"""
            r6 = r1
            r7 = 0
            {Count(2)}
            missing:
            r1 = r6
            r2 = map[3] ll
            r3 = 0
            call 12
            r0 = 2
            exit
            """
        );
        _programs.SetProgram(0, target);
        using var vector = new TestVector(new byte[1], new byte[1]);
        Allocation.ExpectNone(() =>
        {
            for (var round = 0; round < 1000; round++)
            {
                program.RunVector(vector.Packets, vector.Verdicts, 2, vector.Runtime);
            }
        });
    }

    public void Dispose()
    {
        _counters.Dispose();
        _perCpu.Dispose();
        _hash.Dispose();
        _programs.Dispose();
    }

    private static NativeMap Create(MapType type, uint keySize, uint valueSize, uint entries) =>
        MapFactory.Create(
            new MapSpec
            {
                Name = type.ToString(),
                Type = type,
                KeySize = keySize,
                ValueSize = valueSize,
                MaxEntries = entries,
            },
            new MapOptions { CpuCount = 2 }
        );

    private static ulong Read(NativeMap map, uint key, int cpu = 0)
    {
        var value = new byte[map.SyscallValueSize];
        Assert.Equal(0, map.Lookup(BitConverter.GetBytes(key), value));
        return BinaryPrimitives.ReadUInt64LittleEndian(value.AsSpan(cpu * 8));
    }

    private CompiledProgram Compile(string text)
    {
        var instructions = Assembler.Assemble(text);
        var starts = InstructionValidator.FindFunctions(instructions.AsSpan());
        var spec = new ProgramSpec
        {
            Name = "test",
            Section = "xdp",
            Instructions = instructions,
            Functions =
            [
                .. starts.Select(
                    (start, i) =>
                        new FunctionSpec(
                            $"f{start}",
                            start,
                            (i + 1 < starts.Length ? starts[i + 1] : instructions.Length) - start,
                            IsGlobal: false,
                            BtfType: 0
                        )
                ),
            ],
        };
        ImmutableArray<Map> maps = [_counters, _perCpu, _hash, _programs];
        return IlCompiler.Compile(Verifier.Verify(spec, [.. maps.Select(map => map.Spec)]), maps);
    }
}
