using System.Collections.Immutable;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Interpretation;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Interpretation;

public sealed unsafe class InterpretedProgramTests : IDisposable
{
    private static readonly MapOptions OneCpu = new() { CpuCount = 1 };

    private readonly ImmutableArray<NativeMap> _maps =
    [
        MapFactory.Create(Spec("array", MapType.Array, 4, 16, 4), OneCpu),
        MapFactory.Create(Spec("hash", MapType.Hash, 4, 8, 4), OneCpu),
        MapFactory.Create(Spec("programs", MapType.ProgArray, 4, 4, 4), OneCpu),
        MapFactory.Create(
            Spec(".rodata", MapType.Array, 4, 8, 1) with
            {
                Flags = MapFlags.ReadOnlyProgram,
                InitialValue = [1, 2, 3, 4, 5, 6, 7, 8],
            },
            OneCpu
        ),
        MapFactory.Create(Spec("devices", MapType.Devmap, 4, 4, 4), OneCpu),
    ];

    private readonly TestPacket _packet = new(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
    private readonly List<InterpreterFault> _faults = [];

    public void Dispose()
    {
        _packet.Dispose();
        foreach (var map in _maps)
        {
            map.Dispose();
        }
    }

    [Theory]
    [InlineData("r2 = *(u32 *)(r1 + 4)\nr0 = *(u32 *)(r1 + 0)\nr2 -= r0\nr0 = r2\nexit", 16)]
    [InlineData("r2 = *(u32 *)(r1 + 0)\nr0 = *(u32 *)(r2 + 12)\nexit", 0x100f0e0d)]
    [InlineData("r2 = *(u32 *)(r1 + 8)\nr0 = *(u8 *)(r2 + 0)\nexit", 1)]
    [InlineData("r0 = *(u32 *)(r1 + 12)\nexit", 77)]
    [InlineData("r0 = *(u32 *)(r1 + 16)\nexit", 5)]
    [InlineData("r0 = *(u32 *)(r1 + 20)\nexit", 99)]
    [InlineData("r0 = *(s32 *)(r1 + 12)\nexit", 77)]
    public void TheContextIsTranslated(string text, uint result)
    {
        _packet.Buff->IngressIfindex = 77;
        _packet.Buff->RxQueueIndex = 5;
        _packet.Buff->EgressIfindex = 99;
        Assert.Equal(result, Run(text));
        Assert.Empty(_faults);
    }

    [Fact]
    public void NumbersOfTheContextAreReadWithSignExtension()
    {
        _packet.Buff->RxQueueIndex = 0xffff_fff0;
        Assert.Equal(0xffff_ffffu, Run("r0 = *(s32 *)(r1 + 16)\nr0 >>= 32\nexit"));
        Assert.Empty(_faults);
    }

    [Fact]
    public void StoresReachThePacket()
    {
        Run("r2 = *(u32 *)(r1 + 0)\n*(u16 *)(r2 + 14) = -1\nr0 = 2\nexit");
        Assert.Equal([13, 14, 0xff, 0xff], _packet.Bytes[12..]);
    }

    [Theory]
    [InlineData("r0 = *(u64 *)(r1 + 0)\nexit", 0, "fields of the context have 4 bytes, not 8")]
    [InlineData("r0 = *(u32 *)(r1 + 2)\nexit", 0, "no field at offset 2")]
    [InlineData("r0 = *(u32 *)(r1 + 24)\nexit", 0, "no field at offset 24")]
    [InlineData("r0 = *(s32 *)(r1 + 4)\nexit", 0, "a packet pointer may not be read with sign extension")]
    [InlineData("r0 = 0\n*(u32 *)(r1 + 16) = 1\nexit", 1, "the context may not be written")]
    [InlineData("r2 = *(u32 *)(r1 + 0)\nr0 = *(u8 *)(r2 + 16)\nexit", 1, "data + 16 of a packet of 16 bytes")]
    [InlineData("r2 = *(u32 *)(r1 + 0)\nr0 = *(u8 *)(r2 - 1)\nexit", 1, "data - 1 of a packet of 16 bytes")]
    [InlineData("r2 = *(u32 *)(r1 + 0)\nr0 = *(u32 *)(r2 + 13)\nexit", 1, "4 bytes at data + 13")]
    [InlineData("r2 = *(u32 *)(r1 + 0)\nlock *(u64 *)(r2 + 0) += r0\nexit", 1, "atomic operations on packet memory")]
    [InlineData("r0 = map_value[3]+4 ll\n*(u32 *)(r0 + 0) = 1\nexit", 2, "map .rodata may not be written by programs")]
    [InlineData("r0 = map_value[3]+4 ll\nr0 = *(u64 *)(r0 + 0)\nexit", 2, "8 bytes at address 0x")]
    [InlineData("r1 = map[0] ll\nr0 = *(u32 *)(r1 + 0)\nexit", 2, "may not be read")]
    [InlineData("call 9999\nexit", 0, "there is no helper 9999")]
    [InlineData("r2 = r10\ncall 1\nexit", 1, "argument r1 of bpf_map_lookup_elem is not one of the program's maps")]
    [InlineData("r1 = map[0] ll\nr2 = r10\nr2 += -3\ncall 1\nexit", 4, "4 bytes at r10 - 3 may not be read")]
    [InlineData("r1 = map[0] ll\nr2 = 0\ncall 1\nexit", 3, "4 bytes at address 0 (a null pointer?)")]
    [InlineData(
        "r1 = map[2] ll\nr2 = r10\nr2 += -4\ncall 1\nexit",
        4,
        "does not work on map programs of type ProgArray"
    )]
    [InlineData("r1 = map[0] ll\nr2 = 0\nr3 = 0\ncall 51\nexit", 4, "bpf_redirect_map does not work on map array")]
    [InlineData("r1 = r10\nr2 = 0\ncall 44\nexit", 2, "argument r1 of bpf_xdp_adjust_head is not the context")]
    [InlineData("r1 = r10\nr1 += -8\nr2 = 0\ncall 6\nexit", 3, "argument r2 of bpf_trace_printk may not be 0")]
    [InlineData("r1 = r10\nr1 += -8\nr2 = 9\ncall 6\nexit", 3, "9 bytes at r10 - 8 may not be read")]
    [InlineData("r1 = r10\nr2 = -1\ncall 6\nexit", 2, "argument r2 of bpf_trace_printk is not a size: -1")]
    [InlineData("r1 = *(u32 *)(r1 + 0)\nr2 = 4\ncall 6\nexit", 2, "argument r1 of bpf_trace_printk may not be packet")]
    public void WhatIsForbiddenAbortsThePacketAndIsTold(string text, int slot, string reason)
    {
        Assert.Equal((uint)XdpAction.Aborted, Run(text));
        var fault = Assert.Single(_faults);
        Assert.Equal(slot, fault.Slot);
        Assert.Contains(reason, fault.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void AFaultNamesTheSourceLine()
    {
        var spec = TestPrograms.Assemble("r0 = 0\nr0 = *(u8 *)(r0 + 0)\nexit") with
        {
            Lines = [new SourceLine(0, "a.c", 3, 1, ""), new SourceLine(1, "a.c", 4, 9, "return *p;")],
        };
        var program = new InterpretedProgram(spec, []) { OnFault = _faults.Add };
        _packet.Run(program);
        Assert.StartsWith(
            "test: instruction 1 (a.c:4): 1 bytes at address 0",
            _faults[0].ToString(),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void MapsAreThoseOfTheObject()
    {
        const string CountByFirstByte = """
            r6 = *(u32 *)(r1 + 0)
            r6 = *(u8 *)(r6 + 0)
            *(u32 *)(r10 - 4) = r6
            r1 = map[1] ll
            r2 = r10
            r2 += -4
            call 1
            if r0 == 0 goto new
            r1 = 1
            lock *(u64 *)(r0 + 0) += r1
            r0 = *(u64 *)(r0 + 0)
            exit
            new:
            *(u64 *)(r10 - 16) = 100
            r1 = map[1] ll
            r2 = r10
            r2 += -4
            r3 = r10
            r3 += -16
            r4 = 1
            call 2
            r0 = 7
            exit
            """;
        Assert.Equal(7u, Run(CountByFirstByte));
        Assert.Equal(101u, Run(CountByFirstByte));
        Assert.Equal(102u, Run(CountByFirstByte));
        Assert.Empty(_faults);
        var value = new byte[8];
        Assert.Equal(0, _maps[1].Lookup([1, 0, 0, 0], value));
        Assert.Equal(102, value[0]);
    }

    [Fact]
    public void GlobalDataHasAnAddress() =>
        Assert.Equal(0x08070605u, Run("r0 = map_value[3]+4 ll\nr0 = *(u32 *)(r0 + 0)\nexit"));

    [Fact]
    public void HelpersThatMoveThePacketMoveItsBounds()
    {
        Assert.Equal(0u, Run("r6 = r1\nr2 = -4\ncall 44\nr1 = *(u32 *)(r6 + 0)\n*(u32 *)(r1 + 0) = 0x44332211\nexit"));
        Assert.Empty(_faults);
        Assert.Equal([0x11, 0x22, 0x33, 0x44, 1, 2], _packet.Bytes[..6]);
    }

    [Fact]
    public void ARedirectGoesWithItsPacket()
    {
        Assert.Equal((uint)XdpAction.Redirect, Run("r1 = 9\nr2 = 0\ncall 23\nexit"));
        Assert.Equal((RedirectKind.Interface, 9u), (_packet.Buff->Redirect.Kind, _packet.Buff->Redirect.Value));
        Assert.Equal(RedirectKind.None, _packet.Runtime->Redirect.Kind);
    }

    [Fact]
    public void ATailCallReplacesTheRestOfTheFunction()
    {
        SetProgram(1, "r0 = 3\nexit");
        const string Caller = "r2 = map[2] ll\nr3 = {0}\ncall 12\nr0 = 1\nexit";
        Assert.Equal(3u, Run(string.Format(null, Caller, 1)));
        Assert.Equal(1u, Run(string.Format(null, Caller, 0)));
        Assert.Equal(1u, Run(string.Format(null, Caller, 4)));
        Assert.Equal(1u, Run(string.Format(null, Caller, -1)));
        Assert.Empty(_faults);
    }

    [Fact]
    public void ATailCallInAFunctionReturnsToItsCaller()
    {
        SetProgram(1, "r0 = 3\nexit");
        Assert.Equal(
            13u,
            Run("r6 = 10\ncall f\nr0 += r6\nexit\nf: r6 = 0\nr2 = map[2] ll\nr3 = 1\ncall 12\nr0 = 1\nexit")
        );
    }

    [Fact]
    public void ThirtyThreeTailCallsAreAllowed()
    {
        // Counts its runs in the first value of the array, and calls itself.
        const string Text = """
            r6 = r1
            *(u32 *)(r10 - 4) = 0
            r1 = map[0] ll
            r2 = r10
            r2 += -4
            call 1
            r7 = *(u64 *)(r0 + 0)
            r7 += 1
            *(u64 *)(r0 + 0) = r7
            r1 = r6
            r2 = map[2] ll
            r3 = 0
            call 12
            r0 = r7
            exit
            """;
        SetProgram(0, Text);
        Assert.Equal(34u, Run(Text));
        Assert.Equal(34u + 34, Run(Text));
    }

    [Fact]
    public void AFaultBehindATailCallAbortsThePacketOnce()
    {
        SetProgram(1, "r0 = 0\nr0 = *(u8 *)(r0 + 0)\nexit");
        Assert.Equal(0u, Run("call f\nr0 = 2\nexit\nf: r2 = map[2] ll\nr3 = 1\ncall 12\nr0 = 1\nexit"));
        Assert.Single(_faults);
    }

    [Fact]
    public void EveryPacketOfAVectorRuns()
    {
        using var second = new TestPacket(42);
        var program = new InterpretedProgram(
            TestPrograms.Assemble("r1 = *(u32 *)(r1 + 0)\nr0 = *(u8 *)(r1 + 0)\nexit"),
            []
        );
        var packets = stackalloc XdpBuff*[] { _packet.Buff, second.Buff };
        var verdicts = stackalloc uint[2];
        program.RunVector(packets, verdicts, 2, _packet.Runtime);
        Assert.Equal((1u, 42u), (verdicts[0], verdicts[1]));
    }

    [Fact]
    public void AnEndlessLoopIsStopped()
    {
        var program = new InterpretedProgram(TestPrograms.Assemble("a: goto a"), [], instructionLimit: 1000)
        {
            OnFault = _faults.Add,
        };
        Assert.Equal(0u, _packet.Run(program));
        Assert.Equal("the program did not end within 1000 instructions", _faults[0].Reason);
    }

    [Theory]
    [InlineData("r0 = 1", "test: instruction 0: last insn is not an exit or jmp")]
    [InlineData("r1 = map[9] ll\nexit", "test: instruction 0: there is no map 9")]
    [InlineData(
        "r1 = map_value[1]+0 ll\nexit",
        "test: instruction 0: map hash is not an array of one value, which alone has an address"
    )]
    public void AProgramThatIsNotWellFormedIsRejected(string text, string message)
    {
        var error = Assert.Throws<InputException>(() =>
            new InterpretedProgram(TestPrograms.Assemble(text), ImmutableArray<Map>.CastUp(_maps))
        );
        Assert.Equal(message, error.Message);
    }

    private static MapSpec Spec(string name, MapType type, uint keySize, uint valueSize, uint maxEntries) =>
        new()
        {
            Name = name,
            Type = type,
            KeySize = keySize,
            ValueSize = valueSize,
            MaxEntries = maxEntries,
        };

    private uint Run(string text) => _packet.Run(Program(text));

    private void SetProgram(uint index, string text) => ((ProgramArrayMap)_maps[2]).SetProgram(index, Program(text));

    private InterpretedProgram Program(string text) =>
        new(TestPrograms.Assemble(text), ImmutableArray<Map>.CastUp(_maps)) { OnFault = _faults.Add };
}
