namespace RxStages.Bpf.Network;

/// <summary>The routes of one table, found by destination: longest prefix first, then shorter ones. Lookups allocate nothing.</summary>
internal sealed class PrefixTable
{
    private readonly int[] _lengths;
    private readonly Dictionary<(UInt128 Destination, int Length), Route[]> _routes;

    /// <summary>Makes the table.</summary>
    /// <param name="routes">Its routes; those to one destination in the order in which they are to be tried.</param>
    public PrefixTable(IEnumerable<Route> routes)
    {
        _routes = routes
            .GroupBy(route => (route.Destination.Bits, route.PrefixLength))
            .ToDictionary(group => group.Key, group => group.ToArray());
        _lengths = [.. _routes.Keys.Select(key => key.Length).Distinct().OrderDescending()];
    }

    /// <summary>How many lengths of prefixes there are.</summary>
    public int LengthCount => _lengths.Length;

    /// <summary>The routes whose prefix is that of the address, of one length.</summary>
    /// <param name="address">The destination.</param>
    /// <param name="position">Which length: 0 is the longest.</param>
    public ReadOnlySpan<Route> Find(NetworkAddress address, int position)
    {
        var length = _lengths[position];
        return _routes.TryGetValue((address.Masked(length).Bits, length), out var routes) ? routes : default;
    }
}
