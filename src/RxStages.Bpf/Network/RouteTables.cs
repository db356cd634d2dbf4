using System.Collections.Immutable;

namespace RxStages.Bpf.Network;

/// <summary>What a neighbour on the link is reached by.</summary>
/// <param name="Interface">The number of the interface.</param>
/// <param name="Address">The neighbour's address.</param>
/// <param name="HardwareAddress">Its link layer's address, in the lower 48 bits, first byte highest.</param>
public readonly record struct Neighbour(int Interface, NetworkAddress Address, ulong HardwareAddress);

/// <summary>A host's interfaces, routes and neighbours. Immutable; lookups allocate nothing.</summary>
public sealed class RouteTables
{
    private readonly Dictionary<int, NetworkInterface> _interfaces;
    private readonly Dictionary<(int Interface, NetworkAddress Address), ulong> _neighbours = [];

    /// <summary>Makes the tables.</summary>
    /// <param name="interfaces">The interfaces, each with a number of its own.</param>
    /// <param name="routes">Routes through them.</param>
    /// <param name="neighbours">Neighbours that can be reached; of several entries for one the last counts.</param>
    public RouteTables(
        ImmutableArray<NetworkInterface> interfaces,
        IReadOnlyCollection<Route> routes,
        IEnumerable<Neighbour> neighbours
    )
    {
        Interfaces = interfaces.Sort((one, other) => one.Index.CompareTo(other.Index));
        _interfaces = Interfaces.ToDictionary(network => network.Index);
        Sources = new SourceAddresses(Interfaces);
        Ipv4 = new Ipv4Routes(routes.Where(route => !route.Destination.IsIpv6));
        Ipv6 = new Ipv6Routes(routes.Where(route => route.Destination.IsIpv6));
        foreach (var neighbour in neighbours)
        {
            _neighbours[(neighbour.Interface, neighbour.Address)] = neighbour.HardwareAddress;
        }
    }

    /// <summary>A host with a loopback interface and nothing else.</summary>
    public static RouteTables Empty { get; } = new([NetworkInterface.Loopback], [], []);

    /// <summary>The interfaces, in the order of their numbers.</summary>
    public ImmutableArray<NetworkInterface> Interfaces { get; }

    internal Ipv4Routes Ipv4 { get; }

    internal Ipv6Routes Ipv6 { get; }

    internal SourceAddresses Sources { get; }

    /// <summary>The interface of that number, or null.</summary>
    public NetworkInterface? FindInterface(int index) => _interfaces.GetValueOrDefault(index);

    /// <summary>The link layer's address of a neighbour.</summary>
    public bool TryFindNeighbour(NetworkInterface network, NetworkAddress address, out ulong hardwareAddress) =>
        _neighbours.TryGetValue((network.Index, address), out hardwareAddress);
}
