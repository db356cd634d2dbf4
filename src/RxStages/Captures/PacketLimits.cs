namespace RxStages.Captures;

/// <summary>What holds for the packets of both formats.</summary>
internal static class PacketLimits
{
    /// <summary>True when a packet with these lengths can be read; else <see cref="Reason"/> says why not.</summary>
    public static bool Allow(uint captured, uint original, CaptureInterface captureInterface) =>
        captureInterface.LinkType == LinkType.Ethernet
        && captured <= CapturePacket.MaximumLength
        && captured <= original
        && (captured <= captureInterface.SnapLength || captureInterface.SnapLength == 0);

    /// <summary>Why a packet with these lengths cannot be read.</summary>
    public static string Reason(uint captured, uint original, CaptureInterface captureInterface)
    {
        if (captureInterface.LinkType != LinkType.Ethernet)
        {
            var name = captureInterface.Name is null ? "" : $" (interface {captureInterface.Name})";
            var type = captureInterface.LinkType;
            return $"the packet's link type is {(uint)type}{(Enum.IsDefined(type) ? $", {type}" : "")}{name}; "
                + "XDP programs are given Ethernet (1) only";
        }
        if (captured > CapturePacket.MaximumLength)
        {
            return $"a packet of {captured} bytes is longer than the limit of {CapturePacket.MaximumLength}";
        }
        return captured > original
            ? $"{captured} bytes are said to be captured of a packet of {original}"
            : $"a packet of {captured} bytes is longer than the interface's snap length of {captureInterface.SnapLength}";
    }

    /// <summary>Takes off what was captured of the frame check sequence that ends a packet.</summary>
    public static ReadOnlySpan<byte> WithoutFcs(ReadOnlySpan<byte> data, scoped ref uint original, int fcsLength)
    {
        if (fcsLength == 0)
        {
            return data;
        }
        original -= Math.Min(original, (uint)fcsLength);
        return data.Length > original ? data[..(int)original] : data;
    }
}
