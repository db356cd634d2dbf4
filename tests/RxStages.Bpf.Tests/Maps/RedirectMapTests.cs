using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;
using static RxStages.Bpf.Tests.Maps.MapBench;

namespace RxStages.Bpf.Tests.Maps;

// The error codes are those of the same calls on Linux 6.18.
public unsafe class RedirectMapTests
{
    private const ulong Pass = (ulong)XdpAction.Pass;

    [Theory]
    [InlineData(MapType.Devmap)]
    [InlineData(MapType.DevmapHash)]
    [InlineData(MapType.Cpumap)]
    public void AnEntrysProgramGoesWithTheTarget(MapType type)
    {
        using var bench = new MapBench(type, 4, 8, 4);
        using var program = new NamedProgram("p");
        var entries = (IEntryPrograms)bench.Map;
        Assert.Equal(0, entries.SetEntry(1, 7, program));
        Assert.Equal((ulong)XdpAction.Redirect, (ulong)bench.Redirect(1, 0));
        var handle = System.Runtime.InteropServices.GCHandle.FromIntPtr(bench.Runtime->Redirect.Program);
        Assert.Same(program, handle.Target);
        Assert.Same(program, entries.GetProgram(1));
        Assert.Equal(0, entries.SetEntry(1, 8, null));
        bench.Redirect(1, 0);
        Assert.Equal(0, bench.Runtime->Redirect.Program);
        Assert.Null(entries.GetProgram(1));
        Assert.Null(entries.GetProgram(3));
    }

    [Theory]
    [InlineData(MapType.Devmap)]
    [InlineData(MapType.DevmapHash)]
    [InlineData(MapType.Cpumap)]
    public void ValuesOfFourBytesHaveNoRoomForAProgram(MapType type)
    {
        using var bench = new MapBench(type, 4, 4, 4);
        using var program = new NamedProgram("p");
        var entries = (IEntryPrograms)bench.Map;
        Assert.Equal(-Errno.EINVAL, entries.SetEntry(1, 7, program));
        Assert.Equal(0, entries.SetEntry(1, 7, null));
        bench.Redirect(1, 0);
        Assert.Equal(0, bench.Runtime->Redirect.Program);
    }

    [Fact]
    public void AProgramHasOneNumberInAllMaps()
    {
        using var first = new MapBench(MapType.Devmap, 4, 8, 4);
        var second = new MapBench(MapType.DevmapHash, 4, 8, 4);
        using var program = new NamedProgram("p");
        ((IEntryPrograms)first.Map).SetEntry(1, 7, program);
        ((IEntryPrograms)second.Map).SetEntry(1, 7, program);
        Assert.Equal(first.SyscallLookup(U32(1)), second.SyscallLookup(U32(1)));
        second.Dispose();
        first.Redirect(1, 0);
        Assert.NotEqual(0, first.Runtime->Redirect.Program);
    }

    private sealed class NamedProgram(string name) : XdpProgram
    {
        public override string Name => name;

        public override void RunVector(XdpBuff** packets, uint* verdicts, int count, BpfRuntime* runtime) { }

        public override ulong RunTail(XdpBuff* packet, BpfRuntime* runtime) => 0;
    }

    [Fact]
    public void DevmapErrorsAreTheKernels()
    {
        using var bench = new MapBench(MapType.Devmap, 4, 8, 4);
        var map = bench.Map;
        Assert.Equal(0, map.Update(U32(0), Pair(1, 0), UpdateFlags.Any));
        Assert.Equal(-Errno.EEXIST, map.Update(U32(1), Pair(1, 0), UpdateFlags.NoExist));
        Assert.Equal(0, map.Update(U32(1), Pair(1, 0), UpdateFlags.Exist));
        Assert.Equal(-Errno.E2BIG, map.Update(U32(4), Pair(1, 0), UpdateFlags.Any));
        Assert.Equal(-Errno.EINVAL, map.Update(U32(0), Pair(1, 0), 3));
        Assert.Equal(-Errno.EINVAL, map.Update(U32(2), Pair(0, 5), UpdateFlags.Any));
        Assert.Equal(-Errno.EINVAL, map.Update(U32(2), Pair(1, 99), UpdateFlags.Any));
        Assert.Equal(0, map.Update(U32(2), Pair(0, 0), UpdateFlags.Any));
        Assert.Equal(0, map.Update(U32(2), Pair(1, -1), UpdateFlags.Any));
        Assert.Equal(Pair(1, 0), bench.SyscallLookup(U32(2)));
        Assert.Null(bench.SyscallLookup(U32(3)));
        Assert.Null(bench.SyscallLookup(U32(7)));
        Assert.Equal(0, map.Delete(U32(3)));
        Assert.Equal(-Errno.EINVAL, map.Delete(U32(9)));
        Assert.Equal(4, bench.Keys().Count);
    }

    [Fact]
    public void DevmapHashErrorsAreTheKernels()
    {
        using var bench = new MapBench(MapType.DevmapHash, 4, 8, 2);
        var map = bench.Map;
        Assert.Equal(0, map.Update(U32(10), Pair(1, 0), UpdateFlags.Exist));
        Assert.Equal(-Errno.EEXIST, map.Update(U32(10), Pair(1, 0), UpdateFlags.NoExist));
        Assert.Equal(0, map.Update(U32(20), Pair(3, -1), UpdateFlags.Any));
        Assert.Equal(-Errno.E2BIG, map.Update(U32(30), Pair(1, 0), UpdateFlags.Any));
        Assert.Equal(-Errno.EINVAL, map.Update(U32(20), Pair(0, 0), UpdateFlags.Any));
        Assert.Equal(-Errno.EINVAL, map.Update(U32(20), Pair(1, 0), 3));
        Assert.Equal(-Errno.EINVAL, map.Update(U32(20), Pair(1, 99), UpdateFlags.Any));
        Assert.Equal(Pair(3, 0), bench.SyscallLookup(U32(20)));
        Assert.Null(bench.SyscallLookup(U32(11)));
        Assert.Equal(-Errno.ENOENT, map.Delete(U32(11)));
        Assert.Equal(0, map.Delete(U32(10)));
        Assert.Equal([U32(20)], bench.Keys());
    }

    [Fact]
    public void CpumapErrorsAreTheKernels()
    {
        using var bench = new MapBench(MapType.Cpumap, 4, 8, 4);
        var map = bench.Map;
        Assert.Equal(0, map.Update(U32(0), Pair(128, 0), UpdateFlags.Any));
        Assert.Equal(-Errno.EEXIST, map.Update(U32(0), Pair(128, 0), UpdateFlags.NoExist));
        Assert.Equal(-Errno.E2BIG, map.Update(U32(4), Pair(1, 0), UpdateFlags.Any));
        Assert.Equal(-Errno.ENODEV, map.Update(U32(3), Pair(1, 0), UpdateFlags.Any));
        Assert.Equal(-Errno.ENODEV, map.Update(U32(3), Pair(0, 0), UpdateFlags.Any));
        Assert.Equal(-Errno.EOVERFLOW, map.Update(U32(0), Pair(16385, 0), UpdateFlags.Any));
        Assert.Equal(-Errno.EINVAL, map.Update(U32(0), Pair(1, 0), 3));
        Assert.Equal(-Errno.ENOMEM, map.Update(U32(0), Pair(64, 99), UpdateFlags.Any));
        Assert.Equal(Pair(128, 0), bench.SyscallLookup(U32(0)));
        Assert.Null(bench.SyscallLookup(U32(1)));
        Assert.Null(bench.SyscallLookup(U32(9)));
        Assert.Equal(0, map.Delete(U32(1)));
        Assert.Equal(-Errno.EINVAL, map.Delete(U32(9)));
        Assert.Equal(0, map.Update(U32(0), Pair(0, 99), UpdateFlags.Any));
        Assert.Null(bench.SyscallLookup(U32(0)));
    }

    [Fact]
    public void XskmapErrorsAreTheKernels()
    {
        using var bench = new MapBench(MapType.Xskmap, 4, 4, 4);
        var map = bench.Map;
        Assert.Equal(-Errno.ENOENT, map.Update(U32(0), U32(0), UpdateFlags.Exist));
        Assert.Equal(0, map.Update(U32(0), U32(0), UpdateFlags.NoExist));
        Assert.Equal(0, map.Update(U32(0), U32(0), UpdateFlags.NoExist));
        Assert.Equal(-Errno.EEXIST, map.Update(U32(0), U32(1), UpdateFlags.NoExist));
        Assert.Equal(-Errno.E2BIG, map.Update(U32(4), U32(1), UpdateFlags.Any));
        Assert.Equal(-Errno.EOPNOTSUPP, map.Lookup(U32(0), new byte[4]));
        Assert.Equal(0, map.Delete(U32(1)));
        Assert.Equal(-Errno.EINVAL, map.Delete(U32(9)));
    }

    [Theory]
    [InlineData(MapType.Devmap, RedirectKind.Interface, 7u)]
    [InlineData(MapType.DevmapHash, RedirectKind.Interface, 7u)]
    [InlineData(MapType.Cpumap, RedirectKind.Cpu, 1u)]
    [InlineData(MapType.Xskmap, RedirectKind.Socket, 7u)]
    public void ARedirectChoosesTheEntrysTarget(MapType type, RedirectKind kind, uint value)
    {
        using var bench = new MapBench(type, 4, 4, 4);
        Assert.Equal(0, bench.Map.Update(U32(1), U32(7), UpdateFlags.Any));
        Assert.Equal((long)XdpAction.Redirect, bench.Redirect(1, Pass));
        Assert.Equal((kind, value), (bench.Runtime->Redirect.Kind, bench.Runtime->Redirect.Value));
        Assert.True(bench.Runtime->Redirect.Map == bench.Map.Header);
        // The key has 32 bits.
        Assert.Equal((long)XdpAction.Redirect, bench.Redirect((1ul << 32) + 1, 0));
    }

    [Theory]
    [InlineData(MapType.Devmap)]
    [InlineData(MapType.DevmapHash)]
    [InlineData(MapType.Cpumap)]
    [InlineData(MapType.Xskmap)]
    public void WithoutATargetTheFlagsSayTheVerdict(MapType type)
    {
        using var bench = new MapBench(type, 4, 4, 4);
        bench.Runtime->Redirect = new RedirectTarget { Kind = RedirectKind.Interface, Value = 3 };
        Assert.Equal((long)XdpAction.Aborted, bench.Redirect(1, 1 << 2));
        Assert.Equal(3u, bench.Runtime->Redirect.Value);
        for (ulong action = 0; action < 4; action++)
        {
            Assert.Equal((long)action, bench.Redirect(1, action));
            Assert.Equal((long)action, bench.Redirect(9, action));
            Assert.Equal(RedirectKind.None, bench.Runtime->Redirect.Kind);
        }
    }

    [Theory]
    [InlineData(MapType.Devmap)]
    [InlineData(MapType.DevmapHash)]
    public void ABroadcastGoesToAllInterfacesOfTheMap(MapType type)
    {
        using var bench = new MapBench(type, 4, 4, 8);
        bench.Map.Update(U32(1), U32(11), UpdateFlags.Any);
        bench.Map.Update(U32(5), U32(15), UpdateFlags.Any);
        const ulong flags = RedirectFlags.Broadcast | RedirectFlags.ExcludeIngress;
        Assert.Equal((long)XdpAction.Redirect, bench.Redirect(99, flags));
        Assert.Equal(
            (RedirectKind.Broadcast, flags),
            (bench.Runtime->Redirect.Kind, (ulong)bench.Runtime->Redirect.Flags)
        );
        var targets = new DevmapTarget[4];
        Assert.Equal(2, DevmapTargets.Copy(bench.Map.Header, targets));
        Assert.Equal([11u, 15u], targets.Take(2).Select(target => target.Interface).Order());
        Assert.Equal(2, DevmapTargets.Copy(bench.Map.Header, []));
    }

    [Theory]
    [InlineData(MapType.Cpumap)]
    [InlineData(MapType.Xskmap)]
    public void OnlyDevmapsBroadcast(MapType type)
    {
        using var bench = new MapBench(type, 4, 4, 8);
        Assert.Equal((long)XdpAction.Aborted, bench.Redirect(1, RedirectFlags.Broadcast | Pass));
    }

    [Theory]
    [InlineData(MapType.Devmap)]
    [InlineData(MapType.DevmapHash)]
    [InlineData(MapType.Xskmap)]
    public void ProgramsMayLookAtEntries(MapType type)
    {
        using var bench = new MapBench(type, 4, 4, 8);
        bench.Map.Update(U32(1), U32(11), UpdateFlags.Any);
        Assert.Equal(U32(11), bench.Lookup(U32(1)));
        Assert.Null(bench.Lookup(U32(2)));
        Assert.Null(bench.Lookup(U32(9)));
        Assert.True(bench.Map.ContainsValue(bench.Address(U32(1)), 4));
        Assert.False(bench.Map.ContainsValue(bench.Address(U32(1)), 5));
    }

    private static byte[] Pair(uint first, int second) => [.. U32(first), .. BitConverter.GetBytes(second)];
}
