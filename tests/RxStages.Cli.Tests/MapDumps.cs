using System.Globalization;
using System.Text.Json;

namespace RxStages.Cli.Tests;

/// <summary>Reads what <c>--dump-maps</c> wrote.</summary>
internal static class MapDumps
{
    /// <summary>The values of every map that has one value an entry, as numbers, by the map's name.</summary>
    public static Dictionary<string, long[]> Counters(string path)
    {
        using var dump = JsonDocument.Parse(File.ReadAllBytes(path));
        return dump
            .RootElement.GetProperty("maps")
            .EnumerateArray()
            .ToDictionary(
                map => map.GetProperty("name").GetString()!,
                map => map.GetProperty("entries").EnumerateArray().Where(HasValue).Select(Number).ToArray()
            );
    }

    private static bool HasValue(JsonElement entry) =>
        entry.ValueKind == JsonValueKind.Object
        && entry.TryGetProperty("value", out var value)
        && value.ValueKind == JsonValueKind.Array;

    private static long Number(JsonElement entry) =>
        entry
            .GetProperty("value")
            .EnumerateArray()
            .Index()
            .Sum(digit =>
                long.Parse(digit.Item.GetString()![2..], NumberStyles.HexNumber, CultureInfo.InvariantCulture)
                << (8 * digit.Index)
            );
}
