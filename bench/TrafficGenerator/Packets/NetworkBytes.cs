using System.Buffers.Binary;
using System.Net;

namespace RxStages.TrafficGenerator.Packets;

/// <summary>Puts a packet together field by field, in network byte order.</summary>
public sealed class NetworkBytes
{
    private readonly List<byte> _bytes = [];

    /// <summary>Appends single bytes.</summary>
    public NetworkBytes UInt8(params ReadOnlySpan<byte> values)
    {
        _bytes.AddRange(values);
        return this;
    }

    /// <summary>Appends 16 bits.</summary>
    public NetworkBytes UInt16(int value) => UInt8((byte)(value >> 8), (byte)value);

    /// <summary>Appends 32 bits.</summary>
    public NetworkBytes UInt32(uint value) => UInt16((int)(value >> 16)).UInt16((int)(value & 0xffff));

    /// <summary>Appends an address: 4 bytes, or 16.</summary>
    public NetworkBytes Address(IPAddress address) => UInt8(address.GetAddressBytes());

    /// <summary>The packet.</summary>
    public byte[] ToArray() => [.. _bytes];

    /// <summary>The packet, with its Internet checksum (RFC 1071) put where zeros are.</summary>
    /// <param name="offset">Where the checksum stands.</param>
    /// <param name="pseudoHeader">What is summed beside the packet itself.</param>
    public byte[] ToArrayWithChecksum(int offset, ReadOnlySpan<byte> pseudoHeader = default)
    {
        var bytes = ToArray();
        var sum = Sum(bytes) + Sum(pseudoHeader);
        while (sum > 0xffff)
        {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(offset), (ushort)~sum);
        return bytes;
    }

    /// <summary>What UDP, TCP and ICMPv6 sum beside themselves (RFC 768, RFC 9293, RFC 8200 section 8.1).</summary>
    public static byte[] PseudoHeader(IPAddress source, IPAddress destination, byte protocol, int length) =>
        new NetworkBytes().Address(source).Address(destination).UInt32((uint)length).UInt32(protocol).ToArray();

    private static ulong Sum(ReadOnlySpan<byte> bytes)
    {
        ulong sum = 0;
        for (var i = 0; i < bytes.Length; i++)
        {
            sum += (ulong)bytes[i] << (i % 2 == 0 ? 8 : 0);
        }
        return sum;
    }
}
