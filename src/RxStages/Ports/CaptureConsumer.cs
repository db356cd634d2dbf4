using RxStages.Bpf.Runtime;
using RxStages.Captures;

namespace RxStages.Ports;

/// <summary>Writes the packets that it is given to a capture file: a replay's transmit queue, network stack or redirect target.</summary>
/// <param name="writer">The capture; not owned, and written by nobody else.</param>
/// <param name="interfaces">The interfaces that the packets' origins number (<see cref="CaptureReader.Interfaces"/>); may grow.</param>
public sealed unsafe class CaptureConsumer(CaptureWriter writer, IReadOnlyList<CaptureInterface> interfaces)
    : IPacketConsumer
{
    private readonly PacketRecorder _recorder = new(writer, interfaces);

    /// <inheritdoc/>
    public bool KeepsFrames => false;

    /// <inheritdoc/>
    /// <exception cref="Bpf.Errors.InputException">The file cannot be written.</exception>
    public int Accept(XdpBuff** packets, int count)
    {
        for (var i = 0; i < count; i++)
        {
            _recorder.Write(packets[i]);
        }
        return count;
    }

    /// <summary>Nothing to do: the file's buffer is written when it is full.</summary>
    public void Flush() { }

    /// <inheritdoc/>
    public void Reclaim() { }
}
