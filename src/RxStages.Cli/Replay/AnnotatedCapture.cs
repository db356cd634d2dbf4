using System.Text;
using RxStages.Bpf.Runtime;
using RxStages.Captures;
using RxStages.Ports;
using RxStages.Telemetry;

namespace RxStages.Cli.Replay;

/// <summary>Writes packets to a capture in the order of the input, each with its verdict (<c>epb_verdict</c>) and its fate as a comment.</summary>
/// <param name="writer">The capture.</param>
/// <param name="interfaces">The interfaces that packets' origins number.</param>
/// <param name="accepts">Which packets to write, by fate.</param>
internal sealed unsafe class AnnotatedCapture(
    CaptureWriter writer,
    IReadOnlyList<CaptureInterface> interfaces,
    Predicate<Fate> accepts
) : IPacketObserver
{
    private static readonly byte[][] s_comments =
    [
        .. Enum.GetValues<Fate>().Select(fate => Encoding.ASCII.GetBytes(fate.Name())),
    ];

    private readonly PacketRecorder _recorder = new(writer, interfaces);

    public void Observe(XdpBuff** packets, uint* verdicts, Fate* fates, int count)
    {
        for (var i = 0; i < count; i++)
        {
            if (accepts(fates[i]))
            {
                ulong? verdict = fates[i] == Fate.PacketTooLarge ? null : verdicts[i];
                _recorder.Write(packets[i], verdict, s_comments[(int)fates[i]]);
            }
        }
    }
}
