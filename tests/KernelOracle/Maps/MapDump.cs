namespace RxStages.KernelOracle.Tests.Maps;

/// <summary>What a map holds, independent of the order of its keys.</summary>
internal static class MapDump
{
    /// <summary>All keys, in the map's order, as hexadecimal numbers.</summary>
    public static List<string> Keys(IMapCommands map)
    {
        var keys = new List<string>();
        var next = new byte[map.Spec.KeySize];
        byte[] key = [];
        // The limit is for a map whose keys form a circle.
        while (map.GetNextKey(key, next) == 0 && keys.Count <= map.Spec.MaxEntries)
        {
            keys.Add(Convert.ToHexStringLower(next));
            key = [.. next];
        }
        return keys;
    }

    /// <summary>Takes everything out of a queue or a stack: what comes out, in its order.</summary>
    public static List<string> Drain(IMapCommands map)
    {
        var values = new List<string>();
        var value = new byte[map.SyscallValueSize];
        while (map.LookupAndDelete([], value, 0) == 0)
        {
            values.Add(Convert.ToHexStringLower(value));
        }
        return values;
    }

    /// <summary>All entries, a line each, sorted: key, then value or the error of the look-up.</summary>
    public static List<string> Entries(IMapCommands map, bool withValues = true)
    {
        var value = new byte[map.SyscallValueSize];
        var entries = Keys(map)
            .ConvertAll(key =>
            {
                if (!withValues)
                {
                    return key;
                }
                var error = map.Lookup(Convert.FromHexString(key), value, flags: 0);
                return $"{key} = {(error == 0 ? Convert.ToHexStringLower(value) : error.ToString())}";
            });
        entries.Sort(StringComparer.Ordinal);
        return entries;
    }
}
