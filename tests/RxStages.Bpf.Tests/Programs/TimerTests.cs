using System.Buffers.Binary;
using System.Runtime.InteropServices;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Programs;
using RxStages.Bpf.Runtime;
using RxStages.Bpf.Tests.Compilation;

namespace RxStages.Bpf.Tests.Programs;

/// <summary>Timers: when their functions are called, and when no more.</summary>
public sealed unsafe class TimerTests : IDisposable
{
    // Sets the timer of key 0 to 100 ns from now; its function counts its calls in the value and notes the key behind.
    private const string Program = """
        *(u32 *)(r10 - 4) = 0
        r1 = map[0] ll
        r2 = r10
        r2 += -4
        call 1
        if r0 == 0 goto out
        r6 = r0
        r1 = r6
        r1 += 16
        r2 = map[0] ll
        r3 = 1
        call 169
        r1 = r6
        r1 += 16
        r2 = function rings ll
        call 170
        r1 = r6
        r1 += 16
        r2 = 100
        r3 = 0
        call 171
        out:
        r0 = 2
        exit
        rings:
        r1 = *(u64 *)(r3 + 0)
        r1 += 1
        *(u64 *)(r3 + 0) = r1
        r1 = *(u32 *)(r2 + 0)
        r1 += 7
        *(u64 *)(r3 + 8) = r1
        r0 = 0
        exit
        """;

    private readonly Clock _clock = new();
    private readonly TestVector _packets = new(new byte[64]);
    private GCHandle<RuntimeServices> _services;

    public TimerTests()
    {
        _services = new GCHandle<RuntimeServices>(_clock);
        _packets.Runtime->Services = GCHandle<RuntimeServices>.ToIntPtr(_services);
    }

    public static TheoryData<ExecutionEngine, MapType> Kinds =>
        new MatrixTheoryData<ExecutionEngine, MapType>(
            [ExecutionEngine.Compiler, ExecutionEngine.Interpreter],
            [MapType.Array, MapType.Hash, MapType.LruHash]
        );

    [Theory]
    [MemberData(nameof(Kinds))]
    public void AFunctionIsCalledOnceWhenItsTimeHasCome(ExecutionEngine engine, MapType type)
    {
        using var loaded = Load(engine, type);
        _packets.Run(loaded.GetProgram());
        Assert.Equal(1100ul, _packets.Runtime->NextTimer);
        Assert.Equal((0ul, 0ul), RunAt(loaded, 1099));
        Assert.Equal((1ul, 7ul), RunAt(loaded, 1100));
        Assert.Equal((1ul, 7ul), RunAt(loaded, 5000));
        Assert.Equal(0ul, _packets.Runtime->NextTimer);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void AnElementThatIsReplacedHasNoTimerAnyMore(ExecutionEngine engine, MapType type)
    {
        using var loaded = Load(engine, type);
        _packets.Run(loaded.GetProgram());
        Assert.Equal(0, loaded.Maps[0].Update(new byte[4], new byte[32], 0));
        Assert.Equal((0ul, 0ul), RunAt(loaded, 5000));
    }

    [Theory]
    [InlineData(MapType.Hash)]
    [InlineData(MapType.LruHash)]
    public void AnElementThatIsDeletedHasNoTimerAnyMore(MapType type)
    {
        using var loaded = Load(ExecutionEngine.Compiler, type);
        _packets.Run(loaded.GetProgram());
        Assert.Equal(0, loaded.Maps[0].Delete(new byte[4]));
        TimerQueue.RunDue(_packets.Runtime);
        Assert.Equal(0, loaded.Maps[0].Update(new byte[4], new byte[32], 0));
        Assert.Equal((0ul, 0ul), RunAt(loaded, 5000));
    }

    [Fact]
    public void NothingIsCalledWhenTheMapIsGone()
    {
        var loaded = Load(ExecutionEngine.Compiler, MapType.Array);
        _packets.Run(loaded.GetProgram());
        loaded.Dispose();
        _clock.Now = 5000;
        TimerQueue.RunDue(_packets.Runtime);
        Assert.Equal(0ul, _packets.Runtime->NextTimer);
    }

    [Fact]
    public void TimersAreCalledInTheOrderInWhichTheyAreDue()
    {
        var random = new Random(1);
        var called = new List<ulong>();
        var spec = Spec(MapType.Array) with { MaxEntries = 200 };
        using var map = (ArrayMap)MapFactory.Create(spec, new MapOptions());
        for (var index = 0; index < 200; index++)
        {
            var timer = (nint)(map.Values + (index * 32) + 16);
            Assert.Equal(0, MapTimers.Initialize(timer, map.Header, 1));
            Assert.Equal(0, MapTimers.SetCallback(timer, new Noted(called, () => _clock.Now)));
            Assert.Equal(0, MapTimers.Start(_packets.Runtime, timer, (ulong)random.Next(50), 0));
            if (index % 3 == 0)
            {
                Assert.Equal(1, MapTimers.Cancel(timer));
            }
        }
        for (; _clock.Now < 1060; _clock.Now++)
        {
            TimerQueue.RunDue(_packets.Runtime);
        }
        Assert.Equal(133, called.Count);
        Assert.Equal(called.Order(), called);
    }

    public void Dispose()
    {
        TimerQueue.Free(_packets.Runtime);
        _packets.Dispose();
        _services.Dispose();
    }

    private (ulong Calls, ulong Note) RunAt(LoadedObject loaded, ulong now)
    {
        _clock.Now = now;
        TimerQueue.RunDue(_packets.Runtime);
        var value = new byte[32];
        Assert.Equal(0, loaded.Maps[0].Lookup(new byte[4], value));
        return (
            BinaryPrimitives.ReadUInt64LittleEndian(value),
            BinaryPrimitives.ReadUInt64LittleEndian(value.AsSpan(8))
        );
    }

    private static LoadedObject Load(ExecutionEngine engine, MapType type)
    {
        var program = Verification.Programs.Assemble(Program);
        var spec = new ObjectSpec
        {
            Source = "test",
            License = "GPL",
            Programs = [program],
            Maps = [Spec(type)],
        };
        var loaded = LoadedObject.Load(spec, new LoadOptions { Engine = engine });
        Assert.Equal(0, loaded.Maps[0].Update(new byte[4], new byte[32], 0));
        return loaded;
    }

    private static MapSpec Spec(MapType type) =>
        new()
        {
            Name = "alarms",
            Type = type,
            KeySize = 4,
            ValueSize = 32,
            MaxEntries = 4,
            SpecialFields = [new SpecialField(SpecialFieldKind.Timer, 16, 16)],
        };

    private sealed class Clock : RuntimeServices
    {
        public ulong Now { get; set; } = 1000;

        public override ulong KtimeGetNs() => Now;
    }

    private sealed class Noted(List<ulong> called, Func<ulong> now) : TimerFunction
    {
        public override void Call(BpfRuntime* runtime, MapHeader* map, byte* key, byte* value) => called.Add(now());
    }
}
