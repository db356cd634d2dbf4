using RxStages.Bpf.Runtime;
using RxStages.Captures;
using RxStages.Packets;

namespace RxStages.Ports;

/// <summary>Writes packets as the stages have them to a capture file, with the interfaces that they came in by.</summary>
/// <param name="writer">The capture; not owned, and written by nobody else.</param>
/// <param name="interfaces">The interfaces that packets' origins number (<see cref="CaptureReader.Interfaces"/>); may grow.</param>
public sealed unsafe class PacketRecorder(CaptureWriter writer, IReadOnlyList<CaptureInterface> interfaces)
{
    private int _interfacesWritten;

    /// <summary>Writes a packet.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="verdict">What the program returned, or null if that is not to be written.</param>
    /// <param name="comment">A comment in UTF-8; empty for none.</param>
    /// <exception cref="Bpf.Errors.InputException">The file cannot be written.</exception>
    public void Write(XdpBuff* packet, ulong? verdict = null, ReadOnlySpan<byte> comment = default)
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
                Queue = packet->RxQueueIndex,
                XdpVerdict = verdict,
                Comment = comment,
            },
            PacketBytes.Fragments(packet)
        );
    }
}
