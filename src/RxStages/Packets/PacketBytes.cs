using RxStages.Bpf.Runtime;

namespace RxStages.Packets;

/// <summary>Reads a packet's bytes wherever they are.</summary>
public static unsafe class PacketBytes
{
    /// <summary>The bytes in the frame: all of a packet without fragments.</summary>
    public static ReadOnlySpan<byte> Linear(XdpBuff* packet) =>
        new(packet->Data, checked((int)(packet->DataEnd - packet->Data)));

    /// <summary>The bytes behind the linear part, empty for most packets.</summary>
    public static ReadOnlySpan<byte> Fragments(XdpBuff* packet) =>
        new(packet->Fragments, checked((int)packet->FragmentsLength));

    /// <summary>
    /// The packet's bytes in one piece: those in the frame where that is all, else a copy in <paramref name="buffer"/>.
    /// </summary>
    /// <param name="packet">The packet.</param>
    /// <param name="buffer">Room for the longest packet (<see cref="FramePool.PacketCapacity"/>).</param>
    public static ReadOnlySpan<byte> Contiguous(XdpBuff* packet, Span<byte> buffer)
    {
        return packet->FragmentsLength == 0 ? Linear(packet) : buffer[..CopyTo(packet, buffer)];
    }

    /// <summary>Copies the packet's bytes.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="buffer">Room for the longest packet (<see cref="FramePool.PacketCapacity"/>).</param>
    /// <returns>How many bytes it has.</returns>
    public static int CopyTo(XdpBuff* packet, Span<byte> buffer)
    {
        var linear = Linear(packet);
        var fragments = Fragments(packet);
        linear.CopyTo(buffer);
        fragments.CopyTo(buffer[linear.Length..]);
        return linear.Length + fragments.Length;
    }

    /// <summary>Makes <paramref name="copy"/>, a frame of <paramref name="pool"/>, the same packet: bytes, place in the frame, origin.</summary>
    /// <returns>False when it needs a side buffer and all are in use.</returns>
    public static bool TryCopy(XdpBuff* packet, XdpBuff* copy, FramePool pool)
    {
        var linear = Linear(packet);
        var headroom = packet->Data - packet->DataHardStart;
        if (!pool.TryWriteFragments(copy, Fragments(packet)))
        {
            return false;
        }
        copy->Data = copy->DataHardStart + headroom;
        copy->DataMeta = copy->Data;
        copy->DataEnd = copy->Data + linear.Length;
        linear.CopyTo(new Span<byte>(copy->Data, linear.Length));
        copy->IngressIfindex = packet->IngressIfindex;
        copy->RxQueueIndex = packet->RxQueueIndex;
        copy->EgressIfindex = packet->EgressIfindex;
        copy->Sequence = packet->Sequence;
        copy->Timestamp = packet->Timestamp;
        copy->ReceivedLength = packet->ReceivedLength;
        copy->OriginalLength = packet->OriginalLength;
        copy->Origin = packet->Origin;
        copy->Redirect = packet->Redirect;
        return true;
    }
}
