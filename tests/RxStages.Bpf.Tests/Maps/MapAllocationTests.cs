using RxStages.Bpf.Helpers;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Maps;

/// <summary>The hot path of the maps that are written by helpers of their own allocates nothing.</summary>
public sealed unsafe class MapAllocationTests
{
    private const ulong CurrentCpu = uint.MaxValue;

    [Fact]
    public void HelpersForMapsAllocateNothing()
    {
        using var ring = new MapBench(MapType.Ringbuf, 0, 0, 4096);
        using var events = new MapBench(MapType.PerfEventArray, 4, 4, 2);
        using var queue = new MapBench(MapType.Queue, 0, 8, 4);
        using var filter = new MapBench(MapType.BloomFilter, 0, 8, 100);
        using var hash = new MapBench(MapType.PercpuHash, 4, 8, 4);
        using var maps = new MapBench(
            MapBench.Spec(MapType.HashOfMaps, 4, 4, 4) with
            {
                Inner = MapBench.Spec(MapType.Hash, 4, 8, 4),
            }
        );
        ((PerfEventArrayMap)events.Map).OpenAll();
        var (push, pop, peek) = (Address(87), Address(88), Address(89));
        var (output, reserve, discard, perf) = (Address(130), Address(131), Address(133), Address(25));
        var percpu = Address(195);
        RingbufConsumer consumer = static _ => { };
        ulong data = 7;
        var xdp = new XdpBuff { Data = (byte*)&data, DataEnd = (byte*)&data + 8 };
        var (value, packet) = ((ulong)&data, (ulong)&xdp);
        Allocation.ExpectNone(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                Call(output, ring, Header(ring), value, 8, 0, 0);
                Call(discard, ring, Call(reserve, ring, Header(ring), 8, 0, 0, 0), 0, 0, 0, 0);
                ((RingbufMap)ring.Map).Consume(consumer);
                Call(perf, events, packet, Header(events), CurrentCpu | (8ul << 32), value, 8);
                Call(push, queue, Header(queue), value, UpdateFlags.Exist, 0, 0);
                Call(peek, queue, Header(queue), value, 0, 0, 0);
                Call(pop, queue, Header(queue), value, 0, 0, 0);
                Call(push, filter, Header(filter), value, 0, 0, 0);
                Call(peek, filter, Header(filter), value, 0, 0, 0);
                Call(percpu, hash, Header(hash), value, 1, 0, 0);
                maps.Map.Header->LookupElement(maps.Map.Header, maps.Runtime, (byte*)value);
                var cursor = default(MapCursor);
                while (hash.Map.Header->NextElement(hash.Map.Header, hash.Runtime, &cursor)) { }
            }
        });
    }

    private static ulong Header(MapBench bench) => (ulong)bench.Map.Header;

    private static nint Address(int helper) =>
        HelperTable.Find(helper)!.Implementation!.MethodHandle.GetFunctionPointer();

    private static ulong Call(nint helper, MapBench bench, ulong r1, ulong r2, ulong r3, ulong r4, ulong r5) =>
        ((delegate* <BpfRuntime*, ulong, ulong, ulong, ulong, ulong, ulong>)helper)(bench.Runtime, r1, r2, r3, r4, r5);
}
