using System.Runtime.InteropServices;

namespace RxStages.Benchmarks;

/// <summary>The Internet checksum (RFC 1071), in the machine's byte order, which its sums do not depend on.</summary>
internal static class InternetChecksum
{
    /// <summary>Adds bytes to a sum. All pieces but the last must have an even length.</summary>
    public static ulong Add(ulong sum, ReadOnlySpan<byte> bytes)
    {
        foreach (var word in MemoryMarshal.Cast<byte, uint>(bytes))
        {
            sum += word;
        }
        var rest = bytes[(bytes.Length & ~3)..];
        if (rest.Length >= 2)
        {
            sum += MemoryMarshal.Read<ushort>(rest);
            rest = rest[2..];
        }
        if (rest.Length != 0)
        {
            sum += BitConverter.IsLittleEndian ? rest[0] : (ulong)rest[0] << 8;
        }
        return sum;
    }

    /// <summary>True if a sum over bytes that contain their own checksum is that of intact bytes.</summary>
    public static bool IsIntact(ulong sum)
    {
        while (sum > 0xffff)
        {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        return sum == 0xffff;
    }
}
