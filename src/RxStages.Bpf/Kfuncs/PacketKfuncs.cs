using System.Collections.Immutable;
using RxStages.Bpf.Helpers;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Kfuncs;

/// <summary>Kfuncs that move bytes of the packet.</summary>
internal static unsafe class PacketKfuncs
{
    internal static readonly ImmutableArray<KfuncDefinition> Definitions =
    [
        new(
            "bpf_xdp_pull_data",
            ReturnType.Integer,
            [ArgumentType.Context, ArgumentType.Scalar],
            PullData,
            "net/core/filter.c: bpf_xdp_pull_data",
            "Moves bytes from the fragments into the linear part until that has so many; the linear part moves down into the headroom where its room does not do. EINVAL when packet or room are too short."
        )
        {
            ChangesPacketData = true,
        },
    ];

    private static ulong PullData(BpfRuntime* runtime, ulong context, ulong length, ulong r3, ulong r4, ulong r5)
    {
        var xdp = (XdpBuff*)context;
        var linear = (uint)(xdp->DataEnd - xdp->Data);
        if ((uint)length <= linear)
        {
            return 0;
        }
        if ((uint)length > xdp->Length)
        {
            return unchecked((uint)-Errno.EINVAL);
        }
        var start = xdp->DataMeta > xdp->Data ? xdp->Data : xdp->DataMeta;
        var headroom = start - xdp->DataHardStart - XdpBuff.FrameReserve;
        var tailroom = xdp->DataHardEnd - xdp->DataEnd;
        var missing = (uint)length - linear;
        if (missing > tailroom + headroom)
        {
            return unchecked((uint)-Errno.EINVAL);
        }
        var shift = missing - tailroom;
        if (shift > 0)
        {
            var size = xdp->DataEnd - start;
            Buffer.MemoryCopy(start, start - shift, size, size);
            xdp->Data -= shift;
            xdp->DataMeta -= shift;
            xdp->DataEnd -= shift;
        }
        Buffer.MemoryCopy(xdp->Fragments, xdp->DataEnd, missing, missing);
        xdp->DataEnd += missing;
        xdp->Fragments += missing;
        xdp->FragmentsLength -= missing;
        xdp->FragmentsCapacity -= Math.Min(missing, xdp->FragmentsCapacity);
        return 0;
    }
}
