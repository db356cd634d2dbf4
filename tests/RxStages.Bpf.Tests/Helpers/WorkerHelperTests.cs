using System.Runtime.InteropServices;
using RxStages.Bpf.Compilation;
using RxStages.Bpf.Helpers;
using RxStages.Bpf.Interpretation;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;
using RxStages.Bpf.Tests.Maps;
using RxStages.Bpf.Verification;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Helpers;

/// <summary>Helpers about clock, worker, redirect and maps.</summary>
public unsafe class WorkerHelperTests
{
    [Fact]
    public void RandomNumbersFollowFromTheSeed()
    {
        using var first = new HelperBench();
        using var second = new HelperBench();
        first.Runtime->RandomState = second.Runtime->RandomState = 42;
        var numbers = Enumerable.Range(0, 1000).Select(_ => first.Call("get_prandom_u32")).ToList();
        Assert.Equal(numbers, Enumerable.Range(0, 1000).Select(_ => second.Call("get_prandom_u32")));
        Assert.All(numbers, number => Assert.InRange(number, 0, uint.MaxValue));
        Assert.True(numbers.Distinct().Count() > 990);
        // Bits are as often set as not.
        Assert.InRange(numbers.Sum(number => System.Numerics.BitOperations.PopCount((ulong)number)), 15_000, 17_000);
    }

    [Fact]
    public void CpuAndNodeAreTheWorkers()
    {
        using var bench = new HelperBench();
        bench.Runtime->Cpu = 3;
        bench.Runtime->NumaNode = 1;
        Assert.Equal(3, bench.Call("get_smp_processor_id"));
        Assert.Equal(1, bench.Call("get_numa_node_id"));
    }

    [Fact]
    public void ClocksAreThoseOfTheServices()
    {
        using var bench = new HelperBench();
        bench.Services = new FixedClock();
        Assert.Equal(1_234_567_890, bench.Call("ktime_get_ns"));
        Assert.Equal(1_234_567_890, bench.Call("ktime_get_boot_ns"));
        Assert.Equal(1_232_000_000, bench.Call("ktime_get_coarse_ns"));
        // Five minutes before the 32-bit counter wraps, and 308 ticks of 4 ms.
        Assert.Equal(0x1_0000_0000 - (300 * 250) + 308, bench.Call("jiffies64"));
    }

    [Fact]
    public void FixedClocksMoveOnWithPacketsAndNeverBack()
    {
        using var bench = new HelperBench();
        bench.Services = new FixedClockServices(5_000_000, 1_000, followsPackets: true);
        Assert.Equal((5_000_000, 1_000), (bench.Call("ktime_get_ns"), bench.Call("ktime_get_tai_ns")));
        bench.Runtime->Packet = bench.Packet;
        bench.Packet->Timestamp = 3_000;
        Assert.Equal((5_002_000, 3_000), (bench.Call("ktime_get_ns"), bench.Call("ktime_get_tai_ns")));
        Assert.Equal((4_000_000, 5_002_000), (bench.Call("ktime_get_coarse_ns"), bench.Call("ktime_get_boot_ns")));
        bench.Packet->Timestamp = 2_000;
        Assert.Equal(5_002_000, bench.Call("ktime_get_ns"));
        bench.Services = new FixedClockServices(5_000_000, 1_000, followsPackets: false);
        bench.Packet->Timestamp = 3_000;
        Assert.Equal((5_000_000, 1_000), (bench.Call("ktime_get_ns"), bench.Call("ktime_get_tai_ns")));
    }

    [Theory]
    [InlineData(typeof(CompiledProgram))]
    [InlineData(typeof(InterpretedProgram))]
    public void AProgramReadsTheTimeOfItsOwnPacketWhateverTheVector(Type kind)
    {
        var spec = TestPrograms.Assemble("call 5\nr0 >>= 0\nexit");
        using XdpProgram program =
            kind == typeof(CompiledProgram)
                ? IlCompiler.Compile(Verifier.Verify(spec, []), [])
                : new InterpretedProgram(spec, []);
        using var first = new TestPacket(new byte[60]);
        using var second = new TestPacket(new byte[60]);
        var services = new GCHandle<RuntimeServices>(new FixedClockServices(7, 0, followsPackets: true));
        first.Runtime->Services = GCHandle<RuntimeServices>.ToIntPtr(services);
        (first.Buff->Timestamp, second.Buff->Timestamp) = (100, 300);
        var packets = stackalloc XdpBuff*[] { first.Buff, second.Buff };
        var verdicts = stackalloc uint[2];
        program.RunVector(packets, verdicts, 2, first.Runtime);
        services.Dispose();
        Assert.Equal((107u, 307u), (verdicts[0], verdicts[1]));
        Assert.True(first.Runtime->Packet == null && first.Runtime->StackEnd == null);
    }

    [Fact]
    public void WithoutServicesTheClocksRun()
    {
        using var bench = new HelperBench();
        var before = bench.Call("ktime_get_ns");
        Assert.InRange(bench.Call("ktime_get_ns"), before, long.MaxValue);
        Assert.InRange(bench.Call("ktime_get_tai_ns"), 1_700_000_000_000_000_000, long.MaxValue);
    }

    [Fact]
    public void RedirectChoosesAnInterface()
    {
        using var bench = new HelperBench();
        Assert.Equal((long)XdpAction.Redirect, bench.Call("redirect", 3, 0));
        Assert.Equal((RedirectKind.Interface, 3u), (bench.Runtime->Redirect.Kind, bench.Runtime->Redirect.Value));
        // Flags are for skbs: the choice stays as it was.
        Assert.Equal((long)XdpAction.Aborted, bench.Call("redirect", 4, 1));
        Assert.Equal(3u, bench.Runtime->Redirect.Value);
    }

    [Fact]
    public void MapHelpersWorkOnMapsOfAnyType()
    {
        using var bench = new HelperBench();
        using var map = MapFactory.Create(MapBench.Spec(MapType.Hash, 4, 8, 2));
        using var targets = MapFactory.Create(MapBench.Spec(MapType.Devmap, 4, 4, 2));
        var (key, value) = (7u, 9ul);
        var (m, k, v) = ((ulong)map.Header, (ulong)&key, (ulong)&value);
        Assert.Equal(0, bench.Call("map_lookup_elem", m, k));
        Assert.Equal(-Errno.ENOENT, bench.Call("map_update_elem", m, k, v, UpdateFlags.Exist));
        Assert.Equal(0, bench.Call("map_update_elem", m, k, v, UpdateFlags.NoExist));
        Assert.Equal(9ul, *(ulong*)bench.Call("map_lookup_elem", m, k));
        Assert.Equal(0, bench.Call("map_delete_elem", m, k));
        Assert.Equal(-Errno.ENOENT, bench.Call("map_delete_elem", m, k));
        Assert.Equal((long)XdpAction.Pass, bench.Call("redirect_map", (ulong)targets.Header, 0, (ulong)XdpAction.Pass));
    }

    [Fact]
    public void CheapHelpersAllocateNothing()
    {
        using var bench = new HelperBench();
        bench.Services = new RuntimeServices();
        foreach (var name in new[] { "ktime_get_ns", "get_prandom_u32", "get_smp_processor_id", "redirect" })
        {
            var function = (delegate* <BpfRuntime*, ulong, ulong, ulong, ulong, ulong, ulong>)
                HelperTable.All.Single(helper => helper.Name == name).Implementation!.MethodHandle.GetFunctionPointer();
            Allocation.ExpectNone(() =>
            {
                for (var i = 0; i < 100; i++)
                {
                    function(bench.Runtime, 1, 0, 0, 0, 0);
                }
            });
        }
    }

    private sealed class FixedClock : RuntimeServices
    {
        public override ulong KtimeGetNs() => 1_234_567_890;
    }
}
