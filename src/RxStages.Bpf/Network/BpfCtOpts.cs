using System.Runtime.InteropServices;

namespace RxStages.Bpf.Network;

/// <summary><c>struct bpf_ct_opts</c> (<c>net/netfilter/nf_conntrack_bpf.c</c>): how a program looks for a connection.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct BpfCtOpts
{
    /// <summary>Its bytes.</summary>
    public const uint Size = 16;

    /// <summary>The bytes that programs of before Linux 6.10 know; what is behind them was reserved.</summary>
    public const uint OldSize = 12;

    /// <summary>Bytes up to <see cref="Error"/>, it included.</summary>
    public const uint ErrorEnd = 8;

    /// <summary>In: -1 for the packet's own.</summary>
    public int NetworkNamespace;

    /// <summary>Out: a negated error number; as it was where there is none.</summary>
    public int Error;

    /// <summary>In: <c>IPPROTO_TCP</c> or <c>IPPROTO_UDP</c>.</summary>
    public byte Protocol;

    /// <summary>Out: of which direction the tuple is.</summary>
    public byte Direction;

    /// <summary>In: the zone.</summary>
    public ushort Zone;

    /// <summary>In: for which directions it counts, as bits; 0 is both, and becomes so.</summary>
    public byte ZoneDirections;
    public byte Reserved0;
    public byte Reserved1;
    public byte Reserved2;
}
