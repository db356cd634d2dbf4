namespace RxStages.Bpf.Network;

/// <summary>
/// How a route with several nexthops shares its flows among them: each has a range of the flow's hash, as wide as its
/// weight (<c>fib_rebalance</c>, <c>rt6_multipath_rebalance</c>). The kernel's hash has a secret that it draws when it starts;
/// so has this one.
/// </summary>
internal static class Multipath
{
    /// <summary>Hashes have 31 bits.</summary>
    private const int HashBits = 31;

    /// <summary>A flow's hash: addresses and protocol, as with the kernel's <c>fib_multipath_hash_policy</c> 0.</summary>
    public static uint HashOf(in SipHashKey key, NetworkAddress source, NetworkAddress destination, byte protocol)
    {
        Span<ulong> words =
        [
            (ulong)(source.Bits >> 64),
            (ulong)source.Bits,
            (ulong)(destination.Bits >> 64),
            (ulong)destination.Bits,
            protocol,
        ];
        return (uint)(SipHash.Compute(key, words) >> (64 - HashBits));
    }

    /// <summary>Whether a nexthop takes a hash that none before it took.</summary>
    /// <param name="route">The route.</param>
    /// <param name="index">The nexthop's index in it.</param>
    /// <param name="hash">The flow's hash.</param>
    public static bool Takes(Route route, int index, uint hash)
    {
        ulong total = 0,
            upTo = 0;
        for (var i = 0; i < route.Nexthops.Length; i++)
        {
            var weight = route.Nexthops[i].IsDead ? 0u : (uint)route.Nexthops[i].Weight;
            total += weight;
            upTo += i <= index ? weight : 0;
        }
        return !route.Nexthops[index].IsDead && hash < ((upTo << HashBits) + (total / 2)) / total;
    }
}
