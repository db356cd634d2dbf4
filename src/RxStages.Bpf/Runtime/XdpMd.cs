namespace RxStages.Bpf.Runtime;

/// <summary>Byte offsets of the fields of <c>struct xdp_md</c>: the context as programs see it. All fields have 32 bits.</summary>
public static class XdpMd
{
    /// <summary><c>data</c></summary>
    public const int Data = 0;

    /// <summary><c>data_end</c></summary>
    public const int DataEnd = 4;

    /// <summary><c>data_meta</c></summary>
    public const int DataMeta = 8;

    /// <summary><c>ingress_ifindex</c></summary>
    public const int IngressIfindex = 12;

    /// <summary><c>rx_queue_index</c></summary>
    public const int RxQueueIndex = 16;

    /// <summary><c>egress_ifindex</c></summary>
    public const int EgressIfindex = 20;

    /// <summary>The size of the structure.</summary>
    public const int Size = 24;
}
