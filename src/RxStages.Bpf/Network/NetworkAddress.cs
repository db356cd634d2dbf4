using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace RxStages.Bpf.Network;

/// <summary>An IPv4 or IPv6 address. Without allocation, unlike <see cref="IPAddress"/>: helpers compare many of them.</summary>
/// <param name="IsIpv6">Which of the two.</param>
/// <param name="Bits">The address, its first bit the highest; an IPv4 address is in the upper 32 bits.</param>
public readonly record struct NetworkAddress(bool IsIpv6, UInt128 Bits)
{
    // What the system's parser takes beside addresses: zones, prefixes, ports, hexadecimal parts.
    private static readonly SearchValues<char> s_notInAddresses = SearchValues.Create("%/[]xX");

    /// <summary>Bits of an address: 128 or 32.</summary>
    public int Length => LengthOf(IsIpv6);

    /// <summary>True for <c>0.0.0.0</c> and <c>::</c>.</summary>
    public bool IsUnspecified => Bits == 0;

    /// <summary><c>ff00::/8</c> (RFC 4291 section 2.7).</summary>
    public bool IsIpv6Multicast => IsIpv6 && Bits >> 120 == 0xff;

    /// <summary><c>fe80::/10</c> (RFC 4291 section 2.5.6).</summary>
    public bool IsIpv6LinkLocal => IsIpv6 && Bits >> 118 == 0xfe80 >> 6;

    /// <summary><c>::1</c></summary>
    public bool IsIpv6Loopback => IsIpv6 && Bits == 1;

    /// <summary>Bits of an address of a family.</summary>
    public static int LengthOf(bool isIpv6) => isIpv6 ? 128 : 32;

    /// <summary>The address with all bits behind the first ones zero.</summary>
    public NetworkAddress Masked(int prefixLength) =>
        this with
        {
            Bits = prefixLength == 0 ? 0 : Bits & (UInt128.MaxValue << (128 - prefixLength)),
        };

    /// <summary>Reads an address in network byte order: 4 or 16 bytes.</summary>
    public static unsafe NetworkAddress Read(void* bytes, bool isIpv6) =>
        isIpv6
            ? new(true, BinaryPrimitives.ReadUInt128BigEndian(new ReadOnlySpan<byte>(bytes, 16)))
            : new(false, (UInt128)BinaryPrimitives.ReadUInt32BigEndian(new ReadOnlySpan<byte>(bytes, 4)) << 96);

    /// <summary>Writes the address in network byte order: 4 or 16 bytes.</summary>
    public unsafe void Write(void* bytes)
    {
        if (IsIpv6)
        {
            BinaryPrimitives.WriteUInt128BigEndian(new Span<byte>(bytes, 16), Bits);
        }
        else
        {
            BinaryPrimitives.WriteUInt32BigEndian(new Span<byte>(bytes, 4), (uint)(Bits >> 96));
        }
    }

    /// <summary>Reads an address as it is written: four decimal numbers, or the forms of RFC 4291 section 2.2 (no zone).</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out NetworkAddress address)
    {
        address = default;
        var isIpv6 = text.Contains(':');
        if (
            (!isIpv6 && text.Count('.') != 3)
            || text.ContainsAny(s_notInAddresses)
            || !IPAddress.TryParse(text, out var parsed)
        )
        {
            return false;
        }
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        parsed.TryWriteBytes(bytes, out _);
        address = new(isIpv6, BinaryPrimitives.ReadUInt128BigEndian(bytes));
        return parsed.AddressFamily == (isIpv6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork);
    }

    /// <summary>Reads <c>address/length</c>, or an address alone, whose length is that of the family.</summary>
    public static bool TryParsePrefix(ReadOnlySpan<char> text, out NetworkAddress address, out int prefixLength)
    {
        prefixLength = 0;
        var slash = text.IndexOf('/');
        if (!TryParse(slash < 0 ? text : text[..slash], out address))
        {
            return false;
        }
        prefixLength = address.Length;
        return slash < 0
            || (
                int.TryParse(text[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out prefixLength)
                && prefixLength <= address.Length
            );
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, Bits);
        return new IPAddress(IsIpv6 ? bytes : bytes[..4]).ToString();
    }
}
