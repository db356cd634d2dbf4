using RxStages.Bpf.Runtime;
using RxStages.Captures;
using RxStages.Packets;

namespace RxStages.Ports;

/// <summary>Writes the packets that it is given to a capture file: a replay's transmit queue, network stack or redirect target.</summary>
/// <param name="writer">The capture; not owned, and written by nobody else.</param>
/// <param name="interfaces">The interfaces that the packets' origins number (<see cref="CaptureReader.Interfaces"/>); may grow.</param>
public sealed unsafe class CaptureConsumer(CaptureWriter writer, IReadOnlyList<CaptureInterface> interfaces)
    : IPacketConsumer
{
    private int _interfacesWritten;

    /// <inheritdoc/>
    public bool KeepsFrames => false;

    /// <inheritdoc/>
    /// <exception cref="Bpf.Errors.InputException">The file cannot be written.</exception>
    public int Accept(XdpBuff** packets, int count)
    {
        for (var i = 0; i < count; i++)
        {
            Write(packets[i]);
        }
        return count;
    }

    /// <summary>Nothing to do: the file's buffer is written when it is full.</summary>
    public void Flush() { }

    /// <inheritdoc/>
    public void Reclaim() { }

    private void Write(XdpBuff* packet)
    {
        while (packet->Origin >= (uint)_interfacesWritten)
        {
            // A program may have made packets longer than the interface captured them.
            writer.AddInterface(interfaces[_interfacesWritten++] with { SnapLength = 0, FcsLength = 0 });
        }
        writer.Write(
            new CapturePacket
            {
                Data = PacketBytes.Linear(packet),
                OriginalLength = packet->Length + (packet->OriginalLength - packet->ReceivedLength),
                Interface = (int)packet->Origin,
                Timestamp = packet->Timestamp,
            },
            PacketBytes.Fragments(packet)
        );
    }
}
