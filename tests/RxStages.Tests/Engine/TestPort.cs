using RxStages.Bpf.Runtime;
using RxStages.Packets;
using RxStages.Ports;

namespace RxStages.Tests.Engine;

/// <summary>A finite port that gives given packets, at each call as many as <paramref name="ready"/> says.</summary>
internal sealed unsafe class TestPort(FramePool pool, IReadOnlyList<byte[]> packets, Func<int, int>? ready = null)
    : IReceiveQueue
{
    private int _next;

    public FramePool Pool => pool;

    public bool IsFinished => _next == packets.Count;

    /// <summary>How often packets were asked for.</summary>
    public int Calls { get; private set; }

    public int Receive(XdpBuff** into, int max)
    {
        Calls++;
        var count = Math.Min(packets.Count - _next, ready is null ? max : Math.Clamp(ready(max), 0, max));
        count = pool.Take(into, count);
        for (var i = 0; i < count; i++)
        {
            FramePool.ClearHeadroom(into[i]);
            Assert.True(pool.TryWrite(into[i], packets[_next]));
            into[i]->IngressIfindex = 1;
            into[i]->RxQueueIndex = 0;
            into[i]->Sequence = (uint)_next++;
            into[i]->Timestamp = 0;
        }
        return count;
    }

    public int PrefetchReady(int max) => 0;
}
