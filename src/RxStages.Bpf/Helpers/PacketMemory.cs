using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>
/// A packet's bytes by their place in it: the linear part, then the fragments, one a page. What lies in two of them is not
/// in one piece for programs, as in the kernel, although all fragments lie in one piece here.
/// </summary>
internal static unsafe class PacketMemory
{
    // Neither place nor count may need more bits (bpf_xdp_pointer).
    private const uint MaxOffset = 0xffff;

    /// <summary>Finds bytes of the packet (<c>bpf_xdp_pointer</c>).</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="offset">Where they begin.</param>
    /// <param name="count">How many.</param>
    /// <param name="address">Gets their address; null when they are not all in the linear part or one fragment.</param>
    /// <returns>0, or a negated error number: EFAULT for numbers too large, EINVAL beyond the packet's end.</returns>
    internal static int Find(XdpBuff* packet, uint offset, uint count, out byte* address)
    {
        address = null;
        if (offset > MaxOffset || count > MaxOffset)
        {
            return -Errno.EFAULT;
        }
        if (offset + count > packet->Length)
        {
            return -Errno.EINVAL;
        }
        var linear = (uint)(packet->DataEnd - packet->Data);
        if (offset < linear)
        {
            address = offset + count <= linear ? packet->Data + offset : null;
        }
        else
        {
            var first = packet->Fragments + (offset - linear);
            var pageOffset = (uint)((nuint)first % XdpBuff.FrameSize);
            address = pageOffset + count <= XdpBuff.FrameSize ? first : null;
        }
        return 0;
    }

    /// <summary>Copies bytes of the packet to other memory.</summary>
    /// <returns>0, or a negated error number as of <see cref="Find"/>.</returns>
    internal static int Load(XdpBuff* packet, uint offset, byte* target, uint count) =>
        Copy(packet, offset, target, count, toPacket: false);

    /// <summary>Copies bytes from other memory to the packet.</summary>
    /// <returns>0, or a negated error number as of <see cref="Find"/>.</returns>
    internal static int Store(XdpBuff* packet, uint offset, byte* source, uint count) =>
        Copy(packet, offset, source, count, toPacket: true);

    /// <summary>Copies bytes of the packet whatever their numbers (<c>bpf_xdp_copy_buf</c>); false beyond the packet's end.</summary>
    internal static bool TryLoadAny(XdpBuff* packet, uint offset, byte* target, uint count)
    {
        var isInside = (ulong)offset + count <= packet->Length;
        if (isInside)
        {
            CopyInside(packet, offset, target, count, toPacket: false);
        }
        return isInside;
    }

    private static int Copy(XdpBuff* packet, uint offset, byte* other, uint count, bool toPacket)
    {
        var error = Find(packet, offset, count, out _);
        if (error == 0)
        {
            CopyInside(packet, offset, other, count, toPacket);
        }
        return error;
    }

    private static void CopyInside(XdpBuff* packet, uint offset, byte* other, uint count, bool toPacket)
    {
        var linear = (uint)(packet->DataEnd - packet->Data);
        var inLinear = offset < linear ? Math.Min(count, linear - offset) : 0;
        if (inLinear > 0)
        {
            Move(packet->Data + offset, other, inLinear, toPacket);
        }
        if (count > inLinear)
        {
            Move(packet->Fragments + (offset + inLinear - linear), other + inLinear, count - inLinear, toPacket);
        }
    }

    // The other memory may be packet memory itself.
    private static void Move(byte* inPacket, byte* other, uint count, bool toPacket)
    {
        var (source, target) = toPacket ? ((nint)other, (nint)inPacket) : ((nint)inPacket, (nint)other);
        Buffer.MemoryCopy((byte*)source, (byte*)target, count, count);
    }
}
