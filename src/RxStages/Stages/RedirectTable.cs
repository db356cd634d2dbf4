using RxStages.Bpf.Runtime;
using RxStages.Packets;
using RxStages.Ports;

namespace RxStages.Stages;

/// <summary>
/// Where a worker's redirected packets go: a consumer per interface, CPU and socket. Filled before the worker starts.
/// </summary>
public sealed class RedirectTable
{
    private readonly Dictionary<(RedirectKind, uint), IPacketConsumer> _consumers = [];

    /// <summary>Takes packets for every target that is not registered, as a replay's capture does; null (usual): they are lost.</summary>
    public IPacketConsumer? Default { get; set; }

    /// <summary>Registers the transmit queue of an interface.</summary>
    /// <exception cref="ArgumentException">There is one already.</exception>
    public void AddInterface(uint ifindex, IPacketConsumer queue) =>
        _consumers.Add((RedirectKind.Interface, ifindex), queue);

    /// <summary>Registers what takes the packets that a cpumap sends to a CPU.</summary>
    /// <exception cref="ArgumentException">There is one already.</exception>
    public void AddCpu(uint cpu, IPacketConsumer consumer) => _consumers.Add((RedirectKind.Cpu, cpu), consumer);

    /// <summary>Registers what takes the packets that an xskmap sends to a socket.</summary>
    /// <param name="socket">The socket's number, as in the map.</param>
    /// <param name="consumer">What takes its packets.</param>
    /// <exception cref="ArgumentException">There is one already.</exception>
    public void AddSocket(uint socket, IPacketConsumer consumer) =>
        _consumers.Add((RedirectKind.Socket, socket), consumer);

    /// <summary>The registered targets and their consumers; a consumer may serve several.</summary>
    internal IEnumerable<KeyValuePair<(RedirectKind Kind, uint Value), IPacketConsumer>> Targets => _consumers;
}
