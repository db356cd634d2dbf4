namespace RxStages.Bpf.Errors;

/// <summary>What to say to a name that there is not: the nearest that there is, and the others.</summary>
public static class NameSuggestion
{
    /// <summary>The most names that are listed: files may have thousands.</summary>
    private const int MaxListed = 16;

    /// <summary>Longer names are not compared: nobody types them, and the comparison takes time.</summary>
    private const int MaxCompared = 128;

    /// <summary>The name that was probably meant, or null if none is near.</summary>
    public static string? Nearest(string wanted, IEnumerable<string> names)
    {
        var (nearest, least) = ((string?)null, 1 + Math.Max(1, wanted.Length / 3));
        foreach (var name in names.Where(name => wanted.Length <= MaxCompared && name.Length <= MaxCompared))
        {
            if (Distance(wanted, name) is var distance && distance < least)
            {
                (nearest, least) = (name, distance);
            }
        }
        return nearest;
    }

    /// <summary>The names, parted by commas; of many the first.</summary>
    public static string List(IReadOnlyCollection<string> names) =>
        names.Count <= MaxListed
            ? string.Join(", ", names)
            : $"{string.Join(", ", names.Take(MaxListed))} and {names.Count - MaxListed} more";

    /// <summary><c> (did you mean 'x'?)</c>, or nothing if no name is near.</summary>
    public static string Ask(string wanted, IEnumerable<string> names) =>
        Nearest(wanted, names) is { } nearest ? $" (did you mean '{nearest}'?)" : "";

    /// <summary>How many characters to put in, take out, replace, or exchange with their neighbour.</summary>
    private static int Distance(string one, string other)
    {
        var table = new int[one.Length + 1, other.Length + 1];
        for (var i = 0; i <= one.Length; i++)
        {
            for (var j = 0; j <= other.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    table[i, j] = i + j;
                    continue;
                }
                var replaced = table[i - 1, j - 1] + (one[i - 1] == other[j - 1] ? 0 : 1);
                table[i, j] = Math.Min(replaced, 1 + Math.Min(table[i - 1, j], table[i, j - 1]));
                if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1])
                {
                    table[i, j] = Math.Min(table[i, j], table[i - 2, j - 2] + 1);
                }
            }
        }
        return table[one.Length, other.Length];
    }
}
