using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>Helpers that move the boundaries of the packet, or measure it.</summary>
internal static unsafe class PacketHelpers
{
    // The least that is left of a packet (ETH_HLEN).
    private const int EthernetHeaderLength = 14;

    // Metadata's greatest length: skb_shared_info keeps it in a byte, and it is a multiple of 4 (xdp_metalen_invalid).
    private const int MaxMetadataLength = 255;

    internal static readonly ImmutableArray<HelperDefinition> Definitions =
    [
        new(
            44,
            "xdp_adjust_head",
            ReturnType.Integer,
            [ArgumentType.Context, ArgumentType.Anything],
            AdjustHead,
            "net/core/filter.c: bpf_xdp_adjust_head",
            "Moves the packet's start, its metadata with it: negative offsets grow it into the headroom. EINVAL beyond the headroom or when fewer than 14 bytes would be left."
        )
        {
            ChangesPacketData = true,
        },
        new(
            54,
            "xdp_adjust_meta",
            ReturnType.Integer,
            [ArgumentType.Context, ArgumentType.Anything],
            AdjustMeta,
            "net/core/filter.c: bpf_xdp_adjust_meta",
            "Moves the start of the metadata in front of the packet. EACCES unless its length is a multiple of 4 of at most 252; ENOTSUPP where the port has no metadata."
        )
        {
            ChangesPacketData = true,
        },
        new(
            65,
            "xdp_adjust_tail",
            ReturnType.Integer,
            [ArgumentType.Context, ArgumentType.Anything],
            AdjustTail,
            "net/core/filter.c: bpf_xdp_adjust_tail",
            "Moves the packet's end; grown bytes are zero. EINVAL beyond the frame or when fewer than 14 bytes would be left."
        )
        {
            ChangesPacketData = true,
        },
        new(
            188,
            "xdp_get_buff_len",
            ReturnType.Integer,
            [ArgumentType.Context],
            GetBuffLen,
            "net/core/filter.c: bpf_xdp_get_buff_len",
            "The packet's length, fragments included."
        ),
        new(
            189,
            "xdp_load_bytes",
            ReturnType.Integer,
            [ArgumentType.Context, ArgumentType.Anything, ArgumentType.WritableMemory, ArgumentType.Size],
            LoadBytes,
            "net/core/filter.c: bpf_xdp_load_bytes",
            "Copies bytes of the packet, wherever they are in it, to memory. EINVAL beyond the packet's end, EFAULT for offsets or sizes above 65,535."
        ),
        new(
            190,
            "xdp_store_bytes",
            ReturnType.Integer,
            [ArgumentType.Context, ArgumentType.Anything, ArgumentType.ReadableMemory, ArgumentType.Size],
            StoreBytes,
            "net/core/filter.c: bpf_xdp_store_bytes",
            "Copies memory into the packet, wherever that is. Errors are those of xdp_load_bytes."
        ),
    ];

    private static ulong AdjustHead(BpfRuntime* runtime, ulong context, ulong offset, ulong r3, ulong r4, ulong r5)
    {
        var xdp = (XdpBuff*)context;
        var move = (int)offset;
        var metaLength = xdp->DataMeta > xdp->Data ? 0 : xdp->Data - xdp->DataMeta;
        var data = xdp->Data + move;
        if (data < xdp->DataHardStart + XdpBuff.FrameReserve + metaLength || data > xdp->DataEnd - EthernetHeaderLength)
        {
            return Error(Errno.EINVAL);
        }
        if (metaLength != 0)
        {
            Buffer.MemoryCopy(xdp->DataMeta, xdp->DataMeta + move, metaLength, metaLength);
        }
        xdp->DataMeta += move;
        xdp->Data = data;
        return 0;
    }

    private static ulong AdjustMeta(BpfRuntime* runtime, ulong context, ulong offset, ulong r3, ulong r4, ulong r5)
    {
        var xdp = (XdpBuff*)context;
        if (xdp->DataMeta > xdp->Data)
        {
            return Error(Errno.ENOTSUPP);
        }
        var meta = xdp->DataMeta + (int)offset;
        if (meta < xdp->DataHardStart + XdpBuff.FrameReserve || meta > xdp->Data)
        {
            return Error(Errno.EINVAL);
        }
        var metaLength = xdp->Data - meta;
        if (metaLength % 4 != 0 || metaLength > MaxMetadataLength)
        {
            return Error(Errno.EACCES);
        }
        xdp->DataMeta = meta;
        return 0;
    }

    private static ulong AdjustTail(BpfRuntime* runtime, ulong context, ulong offset, ulong r3, ulong r4, ulong r5)
    {
        var xdp = (XdpBuff*)context;
        var move = (int)offset;
        if (xdp->FragmentsLength != 0)
        {
            return move < 0 ? ShrinkFragments(xdp, unchecked(-move)) : GrowFragments(xdp, (uint)move);
        }
        var dataEnd = xdp->DataEnd + move;
        if (dataEnd > xdp->DataHardEnd || dataEnd < xdp->Data + EthernetHeaderLength)
        {
            return Error(Errno.EINVAL);
        }
        if (move > 0)
        {
            Unsafe.InitBlockUnaligned(xdp->DataEnd, 0, (uint)move);
        }
        xdp->DataEnd = dataEnd;
        return 0;
    }

    // A fragment is a page, and only the last one can be shorter: it grows within its page (bpf_xdp_frags_increase_tail).
    private static ulong GrowFragments(XdpBuff* xdp, uint bytes)
    {
        if (xdp->FragmentsCapacity == 0)
        {
            return Error(Errno.EOPNOTSUPP);
        }
        var end = (nuint)xdp->Fragments + xdp->FragmentsLength;
        var room = Math.Min(
            (XdpBuff.FrameSize - (end % XdpBuff.FrameSize)) % XdpBuff.FrameSize,
            xdp->FragmentsCapacity - xdp->FragmentsLength
        );
        if (bytes > room)
        {
            return Error(Errno.EINVAL);
        }
        Unsafe.InitBlockUnaligned(xdp->Fragments + xdp->FragmentsLength, 0, bytes);
        xdp->FragmentsLength += bytes;
        return 0;
    }

    // bpf_xdp_frags_shrink_tail: first the fragments go, then the linear part's end. The smallest int stays negative when
    // negated and takes nothing away, in the kernel too.
    private static ulong ShrinkFragments(XdpBuff* xdp, int bytes)
    {
        if (bytes > (long)xdp->Length - EthernetHeaderLength)
        {
            return Error(Errno.EINVAL);
        }
        if (bytes > 0)
        {
            var fromFragments = Math.Min((uint)bytes, xdp->FragmentsLength);
            xdp->FragmentsLength -= fromFragments;
            xdp->DataEnd -= (uint)bytes - fromFragments;
        }
        return 0;
    }

    private static ulong GetBuffLen(BpfRuntime* runtime, ulong context, ulong r2, ulong r3, ulong r4, ulong r5) =>
        ((XdpBuff*)context)->Length;

    private static ulong LoadBytes(
        BpfRuntime* runtime,
        ulong context,
        ulong offset,
        ulong memory,
        ulong size,
        ulong r5
    ) => (ulong)PacketMemory.Load((XdpBuff*)context, (uint)offset, (byte*)memory, (uint)size);

    private static ulong StoreBytes(
        BpfRuntime* runtime,
        ulong context,
        ulong offset,
        ulong memory,
        ulong size,
        ulong r5
    ) => (ulong)PacketMemory.Store((XdpBuff*)context, (uint)offset, (byte*)memory, (uint)size);

    private static ulong Error(int errno) => (ulong)-(long)errno;
}
