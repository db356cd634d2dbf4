using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;
using RxStages.TestKit;
using static RxStages.Bpf.Tests.Maps.MapBench;

namespace RxStages.Bpf.Tests.Maps;

public unsafe class ProgramArrayMapTests
{
    [Fact]
    public void ProgramsAreFoundByIndex()
    {
        using var bench = new MapBench(MapType.ProgArray, 4, 4, 4);
        var map = (ProgramArrayMap)bench.Map;
        using var first = new EmptyProgram("first");
        using var second = new EmptyProgram("second");
        map.SetProgram(1, first);
        map.SetProgram(3, second);
        Assert.Same(first, ProgramArrayOperations.Find(map.Header, 1));
        Assert.Same(second, map.GetProgram(3));
        Assert.Null(ProgramArrayOperations.Find(map.Header, 0));
        Assert.Null(ProgramArrayOperations.Find(map.Header, 4));
        Assert.Null(ProgramArrayOperations.Find(map.Header, uint.MaxValue));
        map.SetProgram(1, second);
        Assert.Same(second, map.GetProgram(1));
        map.SetProgram(1, null);
        Assert.Null(map.GetProgram(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => map.SetProgram(4, first));
    }

    [Fact]
    public void AProgramWhoseMapsHaveRoomForFewerCpusIsRefused()
    {
        using var bench = new MapBench(MapType.ProgArray, 4, 4, 4);
        var map = (ProgramArrayMap)bench.Map;
        using var tooFew = new EmptyProgram("too few", map.CpuCount - 1);
        using var enough = new EmptyProgram("enough", map.CpuCount);
        Assert.Throws<ArgumentOutOfRangeException>(() => map.SetProgram(0, tooFew));
        map.SetProgram(0, enough);
        Assert.Same(enough, map.GetProgram(0));
    }

    [Fact]
    public void SystemCallErrorsAreTheKernels()
    {
        using var bench = new MapBench(MapType.ProgArray, 4, 4, 4);
        using var program = new EmptyProgram("p");
        ((ProgramArrayMap)bench.Map).SetProgram(2, program);
        Assert.Equal(-Errno.EINVAL, bench.Map.Update(U32(0), U32(0), UpdateFlags.Any));
        Assert.Equal(-Errno.E2BIG, bench.Map.Update(U32(5), U32(0), UpdateFlags.Any));
        Assert.Equal(-Errno.EINVAL, bench.Map.Update(U32(0), U32(0), UpdateFlags.NoExist));
        Assert.Null(bench.SyscallLookup(U32(0)));
        Assert.Null(bench.SyscallLookup(U32(8)));
        Assert.Equal(U32(1), bench.SyscallLookup(U32(2)));
        Assert.Equal(-Errno.ENOENT, bench.Map.Delete(U32(0)));
        Assert.Equal(-Errno.E2BIG, bench.Map.Delete(U32(9)));
        Assert.Equal(0, bench.Map.Delete(U32(2)));
        Assert.Equal([U32(0), U32(1), U32(2), U32(3)], bench.Keys());
    }

    [Fact]
    public void FindingAllocatesNothing()
    {
        using var bench = new MapBench(MapType.ProgArray, 4, 4, 4);
        using var program = new EmptyProgram("p");
        ((ProgramArrayMap)bench.Map).SetProgram(2, program);
        var found = 0;
        Allocation.ExpectNone(() =>
        {
            found = 0;
            for (var i = 0u; i < 1000; i++)
            {
                found += ProgramArrayOperations.Find(bench.Map.Header, i % 4) is null ? 0 : 1;
            }
        });
        Assert.Equal(250, found);
    }
}

/// <summary>A program that is only there to be named.</summary>
internal sealed unsafe class EmptyProgram(string name, int cpuCount = int.MaxValue) : XdpProgram
{
    public override string Name => name;

    public override int CpuCount => cpuCount;

    public override void RunVector(XdpBuff** packets, uint* verdicts, int count, BpfRuntime* runtime) =>
        throw new NotSupportedException();

    public override ulong RunTail(XdpBuff* packet, BpfRuntime* runtime) => throw new NotSupportedException();
}
