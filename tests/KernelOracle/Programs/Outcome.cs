namespace RxStages.KernelOracle.Tests.Programs;

/// <summary>What a program did with a packet.</summary>
/// <param name="ReturnValue">What it returned.</param>
/// <param name="Bytes">Metadata and packet as it left them.</param>
internal readonly record struct Outcome(uint ReturnValue, ReadOnlyMemory<byte> Bytes)
{
    public override string ToString() => $"{ReturnValue}, {Bytes.Length} bytes {Convert.ToHexStringLower(Bytes.Span)}";
}

/// <summary>The first difference between two runs, in words; null when there is none.</summary>
internal static class Difference
{
    public static string? OfPackets(IReadOnlyList<byte[]> packets, List<Outcome> kernel, List<Outcome> ours)
    {
        if (ours.Count != packets.Count)
        {
            return $"{ours.Count} of {packets.Count} packets";
        }
        for (var i = 0; i < packets.Count; i++)
        {
            var (expected, actual) = (kernel[i], ours[i]);
            if (expected.ReturnValue != actual.ReturnValue || !expected.Bytes.Span.SequenceEqual(actual.Bytes.Span))
            {
                return $"packet {i} ({packets[i].Length} bytes) {Convert.ToHexStringLower(packets[i])}\nkernel: {expected}\nours:   {actual}";
            }
        }
        return null;
    }

    public static string? OfMaps(List<string> kernel, List<string> ours)
    {
        if (kernel.SequenceEqual(ours))
        {
            return null;
        }
        var (expected, actual) = kernel.Zip(ours).FirstOrDefault(pair => pair.First != pair.Second);
        return $"{kernel.Count} map entries in the kernel, {ours.Count} in ours\nkernel: {expected}\nours:   {actual}";
    }
}
