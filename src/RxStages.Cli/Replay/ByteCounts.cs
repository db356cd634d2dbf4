using RxStages.Bpf.Runtime;
using RxStages.Telemetry;

namespace RxStages.Cli.Replay;

/// <summary>Adds up the bytes received, by verdict and by fate.</summary>
internal sealed unsafe class ByteCounts : IPacketObserver
{
    private readonly long[] _byVerdict = new long[(int)XdpAction.Redirect + 1];
    private readonly long[] _byFate = new long[Fates.Count];

    /// <summary>Bytes of the packets with that verdict.</summary>
    public long this[XdpAction verdict] => _byVerdict[(int)verdict];

    /// <summary>Bytes of the packets with that fate.</summary>
    public long this[Fate fate] => _byFate[(int)fate];

    public void Observe(XdpBuff** packets, uint* verdicts, Fate* fates, int count)
    {
        for (var i = 0; i < count; i++)
        {
            _byFate[(int)fates[i]] += packets[i]->ReceivedLength;
            if (fates[i] != Fate.PacketTooLarge)
            {
                var verdict = verdicts[i] < (uint)_byVerdict.Length ? verdicts[i] : (uint)XdpAction.Aborted;
                _byVerdict[verdict] += packets[i]->ReceivedLength;
            }
        }
    }
}
