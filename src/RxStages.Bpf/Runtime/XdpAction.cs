namespace RxStages.Bpf.Runtime;

/// <summary>A verdict: what an XDP program returns (<c>enum xdp_action</c>). Any other value counts as <see cref="Aborted"/>.</summary>
public enum XdpAction : uint
{
    /// <summary><c>XDP_ABORTED</c>: the program failed; the packet is dropped.</summary>
    Aborted = 0,

    /// <summary><c>XDP_DROP</c>.</summary>
    Drop = 1,

    /// <summary><c>XDP_PASS</c>: on to the network stack.</summary>
    Pass = 2,

    /// <summary><c>XDP_TX</c>: out of the port it came from.</summary>
    Tx = 3,

    /// <summary><c>XDP_REDIRECT</c>: to the target that a redirect helper chose.</summary>
    Redirect = 4,
}
