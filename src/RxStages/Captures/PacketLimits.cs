namespace RxStages.Captures;

/// <summary>What holds for the packets of both formats.</summary>
internal static class PacketLimits
{
    /// <summary>Why a packet with these lengths cannot be read, or null if it can.</summary>
    public static string? Check(uint captured, uint original, CaptureInterface captureInterface)
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
        if (captureInterface.SnapLength != 0 && captured > captureInterface.SnapLength)
        {
            return $"a packet of {captured} bytes is longer than the interface's snap length of {captureInterface.SnapLength}";
        }
        if (captured > original)
        {
            return $"{captured} bytes are said to be captured of a packet of {original}";
        }
        return null;
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
