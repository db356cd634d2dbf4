using RxStages.Bpf.Runtime;
using RxStages.Telemetry;

namespace RxStages.Cli.Replay;

/// <summary>Several observers as one.</summary>
internal sealed unsafe class ObserverList(List<IPacketObserver> observers) : IPacketObserver
{
    public void Observe(XdpBuff** packets, uint* verdicts, Fate* fates, int count)
    {
        foreach (var observer in observers)
        {
            observer.Observe(packets, verdicts, fates, count);
        }
    }
}
