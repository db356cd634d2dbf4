namespace RxStages.Telemetry;

/// <summary>The stages that time is counted for, in the order in which a vector goes through them.</summary>
public enum Stage
{
    /// <summary>Taking packets from the port, prefetching their headers.</summary>
    Receive = 0,

    /// <summary>The program.</summary>
    Xdp,

    /// <summary>Sorting by verdict; in per-packet mode nothing.</summary>
    Split,

    /// <summary>Transmitting out of the port the packets came from.</summary>
    Transmit,

    /// <summary>Handing packets to redirect targets.</summary>
    Redirect,

    /// <summary>Handing packets to the network stack.</summary>
    NetworkStack,

    /// <summary>Reporting each packet to an observer, where there is one.</summary>
    Observe,

    /// <summary>Giving frames back.</summary>
    Recycle,
}
