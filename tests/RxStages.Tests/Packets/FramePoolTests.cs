using RxStages.Bpf.Runtime;
using RxStages.Packets;

namespace RxStages.Tests.Packets;

public unsafe class FramePoolTests
{
    [Fact]
    public void AFrameHasTheRoomOfTheKernelsTestRun()
    {
        using var pool = new FramePool(3);
        for (var frame = 0; frame < pool.FrameCount; frame++)
        {
            var packet = pool[frame];
            Assert.Equal((uint)frame, packet->Frame);
            Assert.True(packet->DataHardStart == pool.Memory + (frame * 4096));
            Assert.Equal(4096 - 320, packet->DataHardEnd - packet->DataHardStart);
            Assert.Equal(0, (nint)packet % 64);
            Assert.Equal(frame * 128, (byte*)packet - (byte*)pool[0]);
        }
        Assert.Equal((3520, 73152), (pool.LinearCapacity, pool.PacketCapacity));
        Assert.Equal(0, (nint)pool.Memory % 4096);
    }

    [Fact]
    public void FramesAreTakenOnceAndTheLastRecycledComesFirst()
    {
        using var pool = new FramePool(4, detectMisuse: true);
        var packets = stackalloc XdpBuff*[8];
        Assert.Equal(3, pool.Take(packets, 3));
        Assert.Equal(1, pool.Take(packets + 3, 5));
        Assert.Equal(0, pool.Take(packets + 4, 1));
        Assert.True(pool.Take() == null);
        var frames = new HashSet<uint>();
        for (var i = 0; i < 4; i++)
        {
            frames.Add(packets[i]->Frame);
        }
        Assert.Equal(4, frames.Count);
        pool.Recycle(packets + 2, 2);
        Assert.True(pool.Take() == packets[3]);
        Assert.Equal(1, pool.FreeCount);
    }

    [Fact]
    public void RecyclingTwiceIsDetected()
    {
        using var pool = new FramePool(4, detectMisuse: true);
        var packet = pool.Take();
        Recycle(pool, packet);
        Assert.Contains("is free", Assert.Throws<InvalidOperationException>(() => Recycle(pool, packet)).Message);
    }

    [Fact]
    public void AFrameOfAnotherPoolIsDetected()
    {
        using var pool = new FramePool(4, detectMisuse: true);
        using var other = new FramePool(4);
        var packet = other.Take();
        Assert.Throws<InvalidOperationException>(() => Recycle(pool, packet));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(60)]
    [InlineData(3520)]
    [InlineData(3521)]
    [InlineData(73152)]
    public void APacketIsReadAsItWasWritten(int length)
    {
        using var pool = new FramePool(1);
        var bytes = RandomBytes(length);
        var packet = pool.Take();
        Assert.True(pool.TryWrite(packet, bytes));
        Assert.Equal(((uint)length, (uint)length), (packet->Length, packet->OriginalLength));
        Assert.True(packet->Data == packet->DataHardStart + 256 && packet->DataMeta == packet->Data);
        Assert.True(packet->Data == pool.FreshData(packet));
        Assert.True(packet->DataEnd <= packet->DataHardEnd);
        Assert.Equal(bytes, PacketBytes.Contiguous(packet, new byte[pool.PacketCapacity]));
        Recycle(pool, packet);
    }

    [Fact]
    public void APacketThatIsTooLongIsRefused()
    {
        using var pool = new FramePool(1);
        var packet = pool.Take();
        Assert.Throws<ArgumentOutOfRangeException>(() => pool.TryWrite(packet, new byte[pool.PacketCapacity + 1]));
    }

    [Fact]
    public void SideBuffersAreBoundedAndComeBackWithTheirFrames()
    {
        using var pool = new FramePool(4, fragmentBuffers: 2);
        var packets = stackalloc XdpBuff*[4];
        pool.Take(packets, 4);
        var bytes = RandomBytes(9000);
        Assert.True(pool.TryWrite(packets[0], bytes));
        Assert.True(pool.TryWrite(packets[1], bytes));
        Assert.False(pool.TryWrite(packets[2], bytes));
        Assert.True(pool.TryWrite(packets[3], bytes.AsSpan(0, 100)));
        pool.Recycle(packets, 1);
        Assert.True(packets[0]->Fragments == null && packets[0]->Length < 9000);
        Assert.True(pool.TryWrite(packets[2], bytes));
        Assert.Equal(bytes, PacketBytes.Contiguous(packets[2], new byte[pool.PacketCapacity]));
    }

    [Fact]
    public void ACopyIsTheSamePacketInAnotherFrame()
    {
        using var pool = new FramePool(2);
        var packet = pool.Take();
        var copy = pool.Take();
        var bytes = RandomBytes(5000);
        pool.TryWrite(packet, bytes);
        packet->Data -= 30;
        packet->Timestamp = 77;
        packet->IngressIfindex = 3;
        Assert.True(PacketBytes.TryCopy(packet, copy, pool));
        Assert.Equal(
            PacketBytes.Contiguous(packet, new byte[pool.PacketCapacity]),
            PacketBytes.Contiguous(copy, new byte[pool.PacketCapacity])
        );
        Assert.Equal((77ul, 3u), (copy->Timestamp, copy->IngressIfindex));
        Assert.Equal(226, copy->Data - copy->DataHardStart);
        Recycle(pool, packet);
        Recycle(pool, copy);
    }

    [Theory]
    [InlineData(0, 4096)]
    [InlineData((1 << 22) + 1, 4096)]
    [InlineData(1, 960)]
    [InlineData(1, 65600)]
    [InlineData(1, 4000)]
    public void SizesOutOfRangeAreRefused(int frameCount, int frameSize) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new FramePool(frameCount, frameSize));

    private static void Recycle(FramePool pool, XdpBuff* packet) => pool.Recycle(&packet, 1);

    private static byte[] RandomBytes(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }
}
