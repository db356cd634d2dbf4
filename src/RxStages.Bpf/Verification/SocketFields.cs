namespace RxStages.Bpf.Verification;

/// <summary>
/// The fields of sockets that programs may read, and in what sizes: <c>struct bpf_sock</c>, <c>struct bpf_tcp_sock</c> and
/// <c>struct bpf_xdp_sock</c> of the kernel's user API, after <c>bpf_sock_is_valid_access</c> and its like.
/// </summary>
internal static class SocketFields
{
    // struct bpf_sock: where what is not the same in all sockets begins and ends.
    private const int Type = 8,
        StateOffset = 72,
        FullOnlyEnd = 24,
        DestinationPort = 48,
        DestinationPortEnd = 50,
        DestinationIp4 = 52,
        SocketSize = 80;

    // struct bpf_tcp_sock: its two numbers of 64 bits.
    private const int BytesReceived = 80,
        BytesAcked = 88,
        TcpSocketSize = 112;

    /// <summary>True when so many bytes may be read at an offset.</summary>
    public static bool IsReadable(RegisterType socket, int offset, int size) =>
        socket switch
        {
            RegisterType.XdpSocket => offset == 0 && size == 4,
            RegisterType.SocketCommon => offset is < Type or >= FullOnlyEnd && IsReadableOfSocket(offset, size),
            RegisterType.Socket => IsReadableOfSocket(offset, size),
            _ => offset is >= 0 and < TcpSocketSize
                && offset % size == 0
                && size == (offset is BytesReceived or BytesAcked ? 8 : 4),
        };

    /// <summary>The structure's name, for errors.</summary>
    public static string NameOf(RegisterType socket) =>
        socket switch
        {
            RegisterType.XdpSocket => "struct bpf_xdp_sock",
            RegisterType.TcpSocket => "struct bpf_tcp_sock",
            RegisterType.SocketCommon => "struct bpf_sock (of a socket that may be no full socket)",
            _ => "struct bpf_sock",
        };

    private static bool IsReadableOfSocket(int offset, int size)
    {
        if (offset is < 0 or >= SocketSize || offset % size != 0)
        {
            return false;
        }
        return offset switch
        {
            // family, type, protocol, src_ip4, src_ip6, src_port, dst_ip4, dst_ip6, state, rx_queue_mapping: parts too.
            4 or Type or 12 or StateOffset or 76 => size <= 4,
            >= 24 and < 44 => size <= 4,
            44 => size <= 4,
            DestinationPort => size <= 4,
            > DestinationPort and < DestinationPortEnd => size <= 2,
            >= DestinationPortEnd and < DestinationIp4 => false,
            >= DestinationIp4 and < StateOffset => size <= 4,
            _ => size == 4,
        };
    }
}
