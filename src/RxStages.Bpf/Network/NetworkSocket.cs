namespace RxStages.Bpf.Network;

/// <summary>States of sockets (<c>TCP_*</c> of <c>include/net/tcp_states.h</c>); UDP has <see cref="Established"/> and <see cref="Close"/>.</summary>
public enum SocketState
{
    /// <summary>Connected.</summary>
    Established = 1,

    /// <summary>Connecting: a SYN was sent.</summary>
    SynSent,

    /// <summary>Both sides connect at once.</summary>
    SynReceived,

    /// <summary>Closed here, not acknowledged yet.</summary>
    FinWait1,

    /// <summary>Closed here, the other side may still send.</summary>
    FinWait2,

    /// <summary>Closed on both sides: late packets are waited for.</summary>
    TimeWait,

    /// <summary>Not connected.</summary>
    Close,

    /// <summary>The other side closed.</summary>
    CloseWait,

    /// <summary>Both sides closed, the last acknowledgement is missing.</summary>
    LastAck,

    /// <summary>Takes connections.</summary>
    Listen,

    /// <summary>Both sides close at once.</summary>
    Closing,

    /// <summary>A request for a connection, kept by its listener.</summary>
    NewSynReceived,
}

/// <summary>A socket of the host.</summary>
public sealed record NetworkSocket
{
    /// <summary>TCP, else UDP.</summary>
    public required bool IsTcp { get; init; }

    /// <summary>Its state.</summary>
    public required SocketState State { get; init; }

    /// <summary>Its address; of IPv6 sockets that also take IPv4 it may be <c>::ffff:a.b.c.d</c>.</summary>
    public required NetworkAddress LocalAddress { get; init; }

    /// <summary>Its port.</summary>
    public required ushort LocalPort { get; init; }

    /// <summary>The other side's address; unspecified where there is none. Of the same family.</summary>
    public required NetworkAddress RemoteAddress { get; init; }

    /// <summary>The other side's port, or 0.</summary>
    public ushort RemotePort { get; init; }

    /// <summary>True for an IPv6 socket that takes no IPv4.</summary>
    public bool IsIpv6Only { get; init; }

    /// <summary>The number of the only interface that it uses; 0 for all.</summary>
    public int BoundInterface { get; init; }

    /// <summary>The mark of its packets (<c>SO_MARK</c>).</summary>
    public uint Mark { get; init; }

    /// <summary>For a listener: connections that wait to be accepted.</summary>
    public uint Accepting { get; init; }

    /// <summary>For a listener: how many may wait.</summary>
    public uint Backlog { get; init; }
}
