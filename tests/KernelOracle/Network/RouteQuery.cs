using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using RxStages.KernelOracle.Tests.Helpers;

namespace RxStages.KernelOracle.Tests.Network;

/// <summary>A call of <c>bpf_fib_lookup</c>.</summary>
/// <param name="Ifindex">The interface.</param>
/// <param name="Destination">Where the packet goes.</param>
/// <param name="Source">Where it is from.</param>
/// <param name="Flags"><c>BPF_FIB_LOOKUP_*</c></param>
internal sealed record RouteQuery(uint Ifindex, string Destination, string Source = "", uint Flags = 0)
{
    public const int Size = 64;

    // As many queries as the memory of a case has room for.
    private const int PerCase = CallCase.MemorySize / Size;

    /// <summary>The structure's size as it is given.</summary>
    public int GivenSize { get; init; } = Size;

    /// <summary>The family, if it is not that of the destination.</summary>
    public byte? Family { get; init; }

    /// <summary>The packet's length.</summary>
    public ushort Length { get; init; }

    /// <summary>The type of service, or the flow label.</summary>
    public uint TypeOfService { get; init; }

    /// <summary>The table to ask.</summary>
    public uint Table { get; init; }

    /// <summary>Calls for all queries.</summary>
    public static IEnumerable<CallCase> ToCases(IEnumerable<RouteQuery> queries) =>
        queries
            .Chunk(PerCase)
            .Select(
                (batch, number) =>
                    new CallCase(
                        $"fib_lookup {number}: {string.Join("; ", batch.Select(query => query.ToString()))}",
                        string.Join('\n', batch.Select((query, i) => query.ToCall(i)))
                    )
                    {
                        Memory = [.. batch.SelectMany(query => query.ToBytes())],
                    }
            );

    private string ToCall(int index) =>
        $"""
            r1 = r6
            r2 = r7
            r2 += {index * Size}
            r3 = {GivenSize}
            r4 = {(int)Flags}
            call 69
            record
            """;

    private byte[] ToBytes()
    {
        var bytes = new byte[Size];
        var destination = IPAddress.Parse(Destination);
        var isIpv6 = destination.AddressFamily == AddressFamily.InterNetworkV6;
        bytes[0] = Family ?? (byte)(isIpv6 ? 10 : 2);
        bytes[1] = 6;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(6), Length);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), Ifindex);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), TypeOfService);
        if (Source.Length > 0)
        {
            IPAddress.Parse(Source).GetAddressBytes().CopyTo(bytes, 16);
        }
        destination.GetAddressBytes().CopyTo(bytes, 32);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(48), Table);
        bytes.AsSpan(52).Fill(0xa5);
        return bytes;
    }

    public override string ToString() =>
        $"{Source}>{Destination} by {Ifindex}, flags {Flags:x}, table {Table}, length {Length}, tos {TypeOfService:x}";
}
