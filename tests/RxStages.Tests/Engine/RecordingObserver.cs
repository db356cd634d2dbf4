using RxStages.Bpf.Runtime;
using RxStages.Packets;
using RxStages.Telemetry;

namespace RxStages.Tests.Engine;

/// <summary>What an observer saw of a packet.</summary>
internal sealed record ObservedPacket(uint Sequence, uint Verdict, Fate Fate, string Data, uint OriginalLength);

/// <summary>Remembers what became of every packet.</summary>
internal sealed unsafe class RecordingObserver : IPacketObserver
{
    public List<ObservedPacket> Packets { get; } = [];

    public void Observe(XdpBuff** packets, uint* verdicts, Fate* fates, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var data = Hexadecimal.Of(packets[i]);
            Packets.Add(new(packets[i]->Sequence, verdicts[i], fates[i], data, packets[i]->OriginalLength));
        }
    }
}
