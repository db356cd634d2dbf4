using System.Runtime.InteropServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Tests.Helpers;

public unsafe class PacketHelperTests
{
    // The sequence and its results are those of a program on Linux 6.18, with a packet of 60 bytes.
    [Fact]
    public void MovesHaveTheKernelsLimits()
    {
        using var bench = new HelperBench();
        Assert.Equal(0, bench.CallOnPacket("xdp_adjust_meta", -4));
        Assert.Equal(-Errno.EACCES, bench.CallOnPacket("xdp_adjust_meta", -2));
        Assert.Equal(0, bench.CallOnPacket("xdp_adjust_meta", -28));
        Assert.Equal(0, bench.CallOnPacket("xdp_adjust_meta", -4));
        Assert.Equal(0, bench.CallOnPacket("xdp_adjust_meta", -100));
        Assert.Equal(-Errno.EINVAL, bench.CallOnPacket("xdp_adjust_meta", -116));
        Assert.Equal(0, bench.CallOnPacket("xdp_adjust_meta", 64));
        Assert.Equal(-Errno.EINVAL, bench.CallOnPacket("xdp_adjust_meta", 5000));
        Assert.Equal(72, bench.Packet->Data - bench.Packet->DataMeta);

        Assert.Equal(0, bench.CallOnPacket("xdp_adjust_head", -128));
        Assert.Equal(0, bench.CallOnPacket("xdp_adjust_head", -1));
        Assert.Equal(0, bench.CallOnPacket("xdp_adjust_head", 128 + 60 - 14));
        Assert.Equal(0, bench.CallOnPacket("xdp_adjust_head", 1));
        Assert.Equal(-Errno.EINVAL, bench.CallOnPacket("xdp_adjust_head", 1 << 30));
        Assert.Equal(-Errno.EINVAL, bench.CallOnPacket("xdp_adjust_head", -(1 << 30)));

        Assert.Equal(-Errno.EINVAL, bench.CallOnPacket("xdp_adjust_tail", -1));
        Assert.Equal(0, bench.CallOnPacket("xdp_adjust_tail", 4));
        Assert.Equal(-Errno.EINVAL, bench.CallOnPacket("xdp_adjust_tail", 4000));
        Assert.Equal(-Errno.EINVAL, bench.CallOnPacket("xdp_adjust_tail", int.MaxValue));
        Assert.Equal(-Errno.EINVAL, bench.CallOnPacket("xdp_adjust_tail", int.MinValue));
        Assert.Equal(18, bench.Packet->DataEnd - bench.Packet->Data);
        Assert.Equal(72, bench.Packet->Data - bench.Packet->DataMeta);
    }

    [Fact]
    public void TheHeadroomEndsAtTheFramesReserve()
    {
        using var bench = new HelperBench();
        Assert.Equal(-Errno.EINVAL, bench.CallOnPacket("xdp_adjust_head", -217));
        Assert.Equal(0, bench.CallOnPacket("xdp_adjust_head", -216));
        Assert.Equal(276, bench.PacketBytes().Length);
        Assert.Equal(0, bench.CallOnPacket("xdp_adjust_head", 216));
        Assert.Equal(0, bench.CallOnPacket("xdp_adjust_meta", -200));
        Assert.Equal(-Errno.EINVAL, bench.CallOnPacket("xdp_adjust_head", -17));
        Assert.Equal(0, bench.CallOnPacket("xdp_adjust_head", -16));
    }

    [Fact]
    public void MetadataMovesWithTheHead()
    {
        using var bench = new HelperBench();
        bench.CallOnPacket("xdp_adjust_meta", -4);
        *(uint*)bench.Packet->DataMeta = 0xdeadbeef;
        Assert.Equal(0, bench.CallOnPacket("xdp_adjust_head", -2));
        Assert.Equal(0xdeadbeef, *(uint*)bench.Packet->DataMeta);
        Assert.Equal(0, bench.CallOnPacket("xdp_adjust_head", 46));
        Assert.Equal(0xdeadbeef, *(uint*)bench.Packet->DataMeta);
        Assert.Equal(4, bench.Packet->Data - bench.Packet->DataMeta);
    }

    [Fact]
    public void APortWithoutMetadataSaysSo()
    {
        using var bench = new HelperBench();
        bench.Packet->DataMeta = bench.Packet->Data + 1;
        Assert.Equal(-Errno.ENOTSUPP, bench.CallOnPacket("xdp_adjust_meta", -4));
        Assert.Equal(0, bench.CallOnPacket("xdp_adjust_head", -216));
        Assert.Equal(1, bench.Packet->DataMeta - bench.Packet->Data);
    }

    [Fact]
    public void GrownBytesAreZero()
    {
        using var bench = new HelperBench();
        new Span<byte>(bench.Packet->DataEnd, 100).Fill(0xff);
        Assert.Equal(0, bench.CallOnPacket("xdp_adjust_tail", 40));
        Assert.Equal(new byte[40], bench.PacketBytes()[60..]);
        Assert.Equal(0, bench.CallOnPacket("xdp_adjust_tail", -86));
        Assert.Equal(14, bench.PacketBytes().Length);
        Assert.Equal(14, bench.Call("xdp_get_buff_len", (ulong)bench.Packet));
        // Up to where the frame's tail room begins.
        var room = (int)(bench.Packet->DataHardEnd - bench.Packet->DataEnd);
        Assert.Equal(-Errno.EINVAL, bench.CallOnPacket("xdp_adjust_tail", room + 1));
        Assert.Equal(0, bench.CallOnPacket("xdp_adjust_tail", room));
    }

    [Fact]
    public void FragmentsShrinkFromTheirEndThenTheLinearPart()
    {
        using var bench = new HelperBench();
        WithFragments(
            bench,
            length: 5000,
            capacity: 8192,
            () =>
            {
                Assert.Equal(5060, bench.Call("xdp_get_buff_len", (ulong)bench.Packet));
                Assert.Equal(-Errno.EINVAL, bench.CallOnPacket("xdp_adjust_tail", -5047));
                Assert.Equal(0, bench.CallOnPacket("xdp_adjust_tail", int.MinValue));
                Assert.Equal(5060u, bench.Packet->Length);
                Assert.Equal(0, bench.CallOnPacket("xdp_adjust_tail", -1000));
                Assert.Equal((60, 4000u), (bench.PacketBytes().Length, bench.Packet->FragmentsLength));
                Assert.Equal(0, bench.CallOnPacket("xdp_adjust_tail", -4040));
                Assert.Equal((20, 0u), (bench.PacketBytes().Length, bench.Packet->FragmentsLength));
                // Now it is a packet without fragments.
                Assert.Equal(0, bench.CallOnPacket("xdp_adjust_tail", 10));
                Assert.Equal(30, bench.PacketBytes().Length);
            }
        );
    }

    [Fact]
    public void TheLastFragmentGrowsWithinItsPage()
    {
        using var bench = new HelperBench();
        WithFragments(
            bench,
            length: 5000,
            capacity: 8192,
            () =>
            {
                bench.Packet->Fragments[5000] = 1;
                Assert.Equal(-Errno.EINVAL, bench.CallOnPacket("xdp_adjust_tail", 3193));
                Assert.Equal(-Errno.EINVAL, bench.CallOnPacket("xdp_adjust_tail", int.MaxValue));
                Assert.Equal(0, bench.CallOnPacket("xdp_adjust_tail", 3192));
                Assert.Equal((8192u, 0), (bench.Packet->FragmentsLength, bench.Packet->Fragments[5000]));
                Assert.Equal(-Errno.EINVAL, bench.CallOnPacket("xdp_adjust_tail", 1));
                Assert.Equal(0, bench.CallOnPacket("xdp_adjust_tail", 0));
            }
        );
        WithFragments(
            bench,
            length: 100,
            capacity: 0,
            () => Assert.Equal(-Errno.EOPNOTSUPP, bench.CallOnPacket("xdp_adjust_tail", 1))
        );
    }

    private static void WithFragments(HelperBench bench, uint length, uint capacity, Action check)
    {
        var fragments = NativeMemory.AlignedAlloc(8192, XdpBuff.FrameSize);
        bench.Packet->Fragments = (byte*)fragments;
        bench.Packet->FragmentsLength = length;
        bench.Packet->FragmentsCapacity = capacity;
        check();
        NativeMemory.AlignedFree(fragments);
    }
}
