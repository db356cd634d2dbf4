namespace RxStages.Captures;

/// <summary>An interface that packets of a capture file were captured on. A pcap file has one, without a name.</summary>
public sealed record CaptureInterface
{
    /// <summary>Its name (<c>if_name</c>), or null if the file does not tell.</summary>
    public string? Name { get; init; }

    /// <summary>What its packets begin with.</summary>
    public LinkType LinkType { get; init; } = LinkType.Ethernet;

    /// <summary>The most bytes that were captured of a packet; 0 if there was no limit.</summary>
    public uint SnapLength { get; init; }

    /// <summary>Bytes of frame check sequence at the end of its packets; the reader takes them off, as drivers do.</summary>
    public int FcsLength { get; init; }

    /// <summary>The unit of its timestamps in the file.</summary>
    internal TimestampUnit TimestampUnit { get; init; } =
        TimestampUnit.FromResolution(TimestampUnit.DefaultResolution, 0);
}
