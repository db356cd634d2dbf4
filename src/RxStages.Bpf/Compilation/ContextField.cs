using System.Runtime.InteropServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Compilation;

/// <summary>Where a field of <c>struct xdp_md</c>, as programs see it, is in <see cref="XdpBuff"/>.</summary>
internal static class ContextField
{
    /// <summary>True when the 32-bit field at an offset stands for a 64-bit packet pointer.</summary>
    public static bool IsPointer(int offset) => offset is XdpMd.Data or XdpMd.DataEnd or XdpMd.DataMeta;

    /// <summary>The byte offset in <see cref="XdpBuff"/> of what programs read at an offset of <c>xdp_md</c>, or -1.</summary>
    public static int OffsetInBuff(int offset) =>
        offset switch
        {
            XdpMd.Data => OffsetOf(nameof(XdpBuff.Data)),
            XdpMd.DataEnd => OffsetOf(nameof(XdpBuff.DataEnd)),
            XdpMd.DataMeta => OffsetOf(nameof(XdpBuff.DataMeta)),
            >= XdpMd.IngressIfindex and < XdpMd.RxQueueIndex => OffsetOf(nameof(XdpBuff.IngressIfindex))
                + offset
                - XdpMd.IngressIfindex,
            >= XdpMd.RxQueueIndex and < XdpMd.EgressIfindex => OffsetOf(nameof(XdpBuff.RxQueueIndex))
                + offset
                - XdpMd.RxQueueIndex,
            >= XdpMd.EgressIfindex and < XdpMd.Size => OffsetOf(nameof(XdpBuff.EgressIfindex))
                + offset
                - XdpMd.EgressIfindex,
            _ => -1,
        };

    private static int OffsetOf(string field) => (int)Marshal.OffsetOf<XdpBuff>(field);
}
