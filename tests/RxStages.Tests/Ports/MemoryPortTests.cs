using RxStages.Engine;
using RxStages.Packets;
using RxStages.Ports;
using RxStages.Telemetry;
using RxStages.Tests.Engine;

namespace RxStages.Tests.Ports;

public class MemoryPortTests
{
    [Fact]
    public void PacketsThatAreInjectedAreTransmittedInOrderAndChanged()
    {
        using var pool = new FramePool(32, detectMisuse: true);
        using var port = new MemoryPort(pool, 16);
        using var program = new StructProgram<FirstByteProgram>("first-byte", default);
        using var worker = new Worker(port, program, new() { Transmit = port });
        var buffer = new byte[pool.PacketCapacity];
        for (byte i = 0; i < 100; i++)
        {
            Assert.True(port.TryInject([3, 0, i]));
            Assert.True(port.TryInject([1, 0, i]));
            Assert.Equal(2, worker.Poll());
            Assert.True(port.TryTake(buffer, out var length));
            Assert.Equal([3, 0, i], buffer[..length]);
            Assert.False(port.TryTake(buffer, out _));
        }
    }

    [Fact]
    public void WhatTheRingsDoNotHoldIsRefusedOrLost()
    {
        using var pool = new FramePool(64, detectMisuse: true);
        using var port = new MemoryPort(pool, 4);
        using var program = new StructProgram<FirstByteProgram>("first-byte", default);
        using var worker = new Worker(port, program, new() { Transmit = port });
        for (var round = 0; round < 2; round++)
        {
            Assert.Equal(
                [true, true, true, true, false],
                Enumerable.Range(0, 5).Select(_ => port.TryInject([3, 0, 0]))
            );
            Assert.Equal(4, worker.Poll());
        }
        worker.Publish();
        Assert.Equal((4, 4), (worker.Telemetry[Fate.Transmitted], worker.Telemetry[Fate.TxRingFull]));
    }

    [Fact]
    public void TheLongestPacketGoesThroughAndALongerOneIsRefused()
    {
        using var pool = new FramePool(8, detectMisuse: true);
        using var port = new MemoryPort(pool, 4);
        using var program = new StructProgram<FirstByteProgram>("first-byte", default);
        using var worker = new Worker(port, program, new() { Transmit = port });
        var packet = new byte[pool.PacketCapacity];
        new Random(1).NextBytes(packet);
        packet[0] = 3;
        Assert.True(port.TryInject(packet));
        worker.Poll();
        var buffer = new byte[pool.PacketCapacity];
        Assert.True(port.TryTake(buffer, out var length));
        Assert.Equal(packet, buffer[..length]);
        Assert.Throws<ArgumentOutOfRangeException>(() => port.TryInject(new byte[packet.Length + 1]));
    }

    [Fact]
    public async Task TwoThreadsExchangeManyPacketsAndNoneIsLost()
    {
        const int Count = 20_000;
        using var pool = new FramePool(64, detectMisuse: true);
        using var port = new MemoryPort(pool, 32);
        using var program = new StructProgram<FirstByteProgram>("first-byte", default);
        using var worker = new Worker(port, program, new() { Transmit = port });
        var run = Task.Run(() => worker.RunToEnd(), TestContext.Current.CancellationToken);
        var buffer = new byte[pool.PacketCapacity];
        var (sent, taken, lost) = (0, 0, 0L);
        while (!run.IsCompleted)
        {
            var packet = new byte[] { 3, 0, 0, (byte)sent, (byte)(sent >> 8) };
            // Never more on the way than the transmit ring holds, so that none is lost.
            if (sent < Count && sent - taken < 32 && port.TryInject(packet))
            {
                sent++;
            }
            if (port.TryTake(buffer, out _))
            {
                lost += Math.Abs(buffer[3] + (buffer[4] << 8) - (taken & 0xffff));
                taken++;
            }
            if (taken == Count)
            {
                port.Close();
            }
        }
        await run;
        Assert.Equal((Count, Count, 0), (sent, taken, lost));
        Assert.Equal((Count, Count), (worker.Telemetry.Received, worker.Telemetry[Fate.Transmitted]));
    }
}
