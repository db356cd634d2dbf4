using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Network;

/// <summary>
/// The network that programs can ask about: interfaces, routes, neighbours, sockets. In user space there are
/// none but what the user gives; without them the answers are those of a host that has no such route or socket. It hangs
/// on <see cref="RuntimeServices.Network"/>; the workers of one host share it.
/// </summary>
public sealed class NetworkEnvironment
{
    // An interface that packets come in by and that nobody described: an Ethernet port of a host that forwards nothing.
    private static readonly NetworkInterface UndescribedPort = new() { Index = 0, Name = "" };

    private readonly Lazy<ConntrackTable> _conntrack;

    /// <summary>Makes an environment.</summary>
    /// <param name="seed">What its secrets follow from, so that a run can be repeated; null draws them at random.</param>
    /// <param name="types">
    /// The kernel's types, which say how programs see connections: those by which the programs were verified. Null are those
    /// of the running kernel.
    /// </param>
    public NetworkEnvironment(ulong? seed = null, Btf? types = null)
    {
        MultipathKey = SipHashKey.From(seed, 0);
        SynCookies = new SynCookies(seed);
        // The running kernel's types take a while to read: only for programs that ask for connections.
        _conntrack = new(() => new ConntrackTable(SipHashKey.From(seed, 3), types ?? TargetKernel.Running.Types));
    }

    /// <summary>Interfaces, routes and neighbours.</summary>
    public RouteTables Routes { get; init; } = RouteTables.Empty;

    /// <summary>The host's sockets.</summary>
    public SocketTable Sockets { get; init; } = SocketTable.Empty;

    /// <summary>The host's setting <c>net.ipv4.tcp_syncookies</c>: 0 never, 1 when a listener is flooded, 2 always.</summary>
    public int SynCookieSetting { get; init; } = 1;

    internal SipHashKey MultipathKey { get; }

    internal SynCookies SynCookies { get; }

    internal ConntrackTable Conntrack => _conntrack.Value;

    /// <summary>
    /// How many bytes programs may read from an address on, if it is that of a socket or a connection they look at; else 0.
    /// </summary>
    public int ReadableBytes(nint address) =>
        Sockets.ReadableBytes(address) is var bytes and > 0 ? bytes
        : _conntrack.IsValueCreated ? Conntrack.ReadableBytes(address)
        : 0;

    /// <summary>True for the bytes that programs may write: a connection's mark.</summary>
    public bool IsWritable(nint address, int size) => _conntrack.IsValueCreated && Conntrack.IsMark(address, size);

    /// <summary>The environment of a worker; made when it is first asked for, if the worker was given none.</summary>
    internal static unsafe NetworkEnvironment Of(BpfRuntime* runtime)
    {
        var services = runtime->GetServices();
        return services.Network as NetworkEnvironment ?? MakeFor(services);
    }

    /// <summary>
    /// The interface of that number. That by which the packet came exists even if nobody described it: it is an Ethernet
    /// port with an MTU of 1500 that does not forward.
    /// </summary>
    internal unsafe NetworkInterface? FindInterface(uint index, XdpBuff* packet) =>
        Routes.FindInterface((int)index) ?? (index == packet->IngressIfindex ? UndescribedPort : null);

    private static NetworkEnvironment MakeFor(RuntimeServices services)
    {
        lock (services)
        {
            if (services.Network is not NetworkEnvironment network)
            {
                services.Network = network = new NetworkEnvironment(types: services.KernelTypes as Btf);
            }
            return network;
        }
    }
}
