using RxStages.Bpf.Kfuncs;
using RxStages.Bpf.Runtime;
using RxStages.TestKit;

namespace RxStages.Bpf.Tests.Kfuncs;

// The kernel lets only programs that are bound to a device call some of these.
public unsafe class ContextKfuncTests
{
    [Fact]
    public void AnUnknownTimestampIsNoData()
    {
        using var packet = new TestPacket(new byte[60]);
        ulong timestamp = 7;
        Assert.Equal(-Errno.ENODATA, Call(packet, "bpf_xdp_metadata_rx_timestamp", &timestamp));
        Assert.Equal(7ul, timestamp);
        packet.Buff->Timestamp = 1_700_000_000_000_000_001;
        Assert.Equal(0, Call(packet, "bpf_xdp_metadata_rx_timestamp", &timestamp));
        Assert.Equal(1_700_000_000_000_000_001ul, timestamp);
    }

    [Fact]
    public void NoPortHasHashesOrTakesTagsOut()
    {
        using var packet = new TestPacket(new byte[60]);
        uint first = 7,
            second = 8;
        Assert.Equal(-Errno.ENODATA, Call(packet, "bpf_xdp_metadata_rx_hash", &first, &second));
        Assert.Equal(-Errno.ENODATA, Call(packet, "bpf_xdp_metadata_rx_vlan_tag", &first, &second));
        Assert.Equal((7u, 8u), (first, second));
    }

    [Theory]
    [InlineData(2, 4, -Errno.ENOENT)]
    [InlineData(10, 4, -Errno.ENOENT)]
    [InlineData(1, 4, -Errno.EAFNOSUPPORT)]
    [InlineData(2, 8, -Errno.EINVAL)]
    public void NoInterfaceHasAFlowTable(byte family, int size, int error)
    {
        using var packet = new TestPacket(new byte[60]);
        var tuple = stackalloc byte[64];
        tuple[0] = family;
        var options = 1;
        Assert.Equal(0, Call(packet, "bpf_xdp_flow_lookup", tuple, &options, size));
        Assert.Equal(error, options);
    }

    private static int Call(TestPacket packet, string name, void* first, void* second = null, int third = 0)
    {
        var function = (delegate* <BpfRuntime*, ulong, ulong, ulong, ulong, ulong, ulong>)
            KfuncTable.Find(name)!.Implementation!.MethodHandle.GetFunctionPointer();
        return (int)function(packet.Runtime, (ulong)packet.Buff, (ulong)first, (ulong)second, (ulong)third, 0);
    }
}
