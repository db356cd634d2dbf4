using RxStages.Bpf.Runtime;
using RxStages.Engine;

namespace RxStages.Tests.Engine;

/// <summary>Returns the packet's first byte; redirects go to the interface, CPU or other target that the next two bytes name.</summary>
internal unsafe struct FirstByteProgram : IXdpFunction
{
    public readonly uint Run(XdpBuff* packet, BpfRuntime* runtime)
    {
        if (packet->Data + 3 > packet->DataEnd)
        {
            return (uint)XdpAction.Aborted;
        }
        if (packet->Data[0] == (byte)XdpAction.Redirect)
        {
            runtime->Redirect = new RedirectTarget { Kind = (RedirectKind)packet->Data[1], Value = packet->Data[2] };
        }
        return packet->Data[0];
    }
}

/// <summary>
/// A program with state, that changes packets: what becomes of a packet depends on its bytes and on all packets before it.
/// </summary>
internal unsafe struct StatefulProgram : IXdpFunction
{
    private uint _state;

    public uint Run(XdpBuff* packet, BpfRuntime* runtime)
    {
        for (var p = packet->Data; p < packet->DataEnd; p++)
        {
            _state = (_state * 16777619) ^ *p;
            *p += (byte)(_state >> 24);
        }
        switch ((_state >> 8) % 8)
        {
            case 0 when packet->DataEnd - packet->Data > 4:
                packet->Data += 4;
                packet->DataMeta = packet->Data;
                break;
            case 1 when packet->Data - packet->DataHardStart >= XdpBuff.FrameReserve + 20:
                packet->Data -= 20;
                packet->DataMeta = packet->Data;
                packet->Data[3] = (byte)_state;
                break;
            case 2 when packet->DataEnd > packet->Data:
                packet->DataEnd--;
                break;
            default:
                break;
        }
        var verdict = (_state >> 4) % 7;
        if (verdict == (uint)XdpAction.Redirect)
        {
            runtime->Redirect = new RedirectTarget
            {
                Kind = (RedirectKind)((_state >> 12) % 4),
                Value = (_state >> 16) % 3,
            };
        }
        return verdict;
    }
}

/// <summary>Fails at packets that begin with a zero.</summary>
internal unsafe struct ThrowingProgram : IXdpFunction
{
    public readonly uint Run(XdpBuff* packet, BpfRuntime* runtime) =>
        packet->Data[0] == 0 ? throw new InvalidOperationException("zero") : packet->Data[0];
}

/// <summary>Passes packets in front of which there are only zeros, and fills the headroom for the frame's next packet.</summary>
internal unsafe struct HeadroomProgram : IXdpFunction
{
    public readonly uint Run(XdpBuff* packet, BpfRuntime* runtime)
    {
        var headroom = new Span<byte>(packet->DataHardStart, (int)(packet->Data - packet->DataHardStart));
        var isZero = !headroom.ContainsAnyExcept((byte)0);
        headroom.Fill(0xff);
        return (uint)(isZero ? XdpAction.Pass : XdpAction.Drop);
    }
}

/// <summary>Passes everything.</summary>
internal unsafe struct PassProgram : IXdpFunction
{
    public readonly uint Run(XdpBuff* packet, BpfRuntime* runtime) => (uint)XdpAction.Pass;
}
