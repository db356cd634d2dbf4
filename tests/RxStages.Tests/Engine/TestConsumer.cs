using RxStages.Bpf.Runtime;
using RxStages.Packets;
using RxStages.Ports;

namespace RxStages.Tests.Engine;

/// <summary>A consumer that remembers what it was given, in hexadecimal.</summary>
/// <param name="room">How many packets it takes before it is full for good.</param>
/// <param name="pool">Where kept frames go back to; null: it keeps none.</param>
/// <param name="accepts">How many of so many packets it takes at a call; null: all that there is room for.</param>
internal sealed unsafe class TestConsumer(
    int room = int.MaxValue,
    FramePool? pool = null,
    Func<int, int>? accepts = null
) : IPacketConsumer
{
    private readonly Queue<nint> _kept = new();

    public List<string> Packets { get; } = [];

    public List<uint> Sequence { get; } = [];

    /// <summary>The sizes of the vectors it was given.</summary>
    public List<int> Offered { get; } = [];

    public int Flushes { get; private set; }

    public bool KeepsFrames => pool is not null;

    public int Accept(XdpBuff** packets, int count)
    {
        Offered.Add(count);
        count = Math.Min(accepts?.Invoke(count) ?? count, room - Packets.Count);
        for (var i = 0; i < count; i++)
        {
            Packets.Add(Hexadecimal.Of(packets[i]));
            Sequence.Add(packets[i]->Sequence);
            if (pool is not null)
            {
                _kept.Enqueue((nint)packets[i]);
            }
        }
        return count;
    }

    public void Flush() => Flushes++;

    public void Reclaim()
    {
        while (_kept.TryDequeue(out var kept))
        {
            var packet = (XdpBuff*)kept;
            pool!.Recycle(&packet, 1);
        }
    }
}
