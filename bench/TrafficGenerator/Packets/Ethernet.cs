namespace RxStages.TrafficGenerator.Packets;

/// <summary>A VLAN tag.</summary>
/// <param name="Protocol">Its EtherType: <see cref="Ethernet.Vlan"/> or <see cref="Ethernet.ServiceVlan"/>.</param>
/// <param name="Id">The VLAN's number.</param>
public readonly record struct VlanTag(ushort Protocol, ushort Id);

/// <summary>Ethernet frames, without frame check sequence.</summary>
public static class Ethernet
{
    /// <summary>EtherType of IPv4.</summary>
    public const ushort IPv4 = 0x0800;

    /// <summary>EtherType of ARP.</summary>
    public const ushort Arp = 0x0806;

    /// <summary>EtherType of an 802.1Q tag.</summary>
    public const ushort Vlan = 0x8100;

    /// <summary>EtherType of IPv6.</summary>
    public const ushort IPv6 = 0x86dd;

    /// <summary>EtherType of an 802.1ad (QinQ) outer tag.</summary>
    public const ushort ServiceVlan = 0x88a8;

    /// <summary>The least length of a frame on the wire.</summary>
    public const int MinimumLength = 60;

    /// <summary>A frame as long as its contents.</summary>
    public static byte[] Frame(
        ReadOnlySpan<byte> destination,
        ReadOnlySpan<byte> source,
        ushort etherType,
        ReadOnlySpan<byte> payload,
        params ReadOnlySpan<VlanTag> tags
    )
    {
        var bytes = new NetworkBytes().UInt8(destination).UInt8(source);
        foreach (var tag in tags)
        {
            bytes.UInt16(tag.Protocol).UInt16(tag.Id);
        }
        return bytes.UInt16(etherType).UInt8(payload).ToArray();
    }

    /// <summary>The frame, padded to the least length that the wire allows.</summary>
    public static byte[] Padded(byte[] frame)
    {
        if (frame.Length < MinimumLength)
        {
            Array.Resize(ref frame, MinimumLength);
        }
        return frame;
    }
}
