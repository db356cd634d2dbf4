using System.Runtime.InteropServices;

namespace RxStages.Bpf.Runtime;

/// <summary>What kind of target a redirect names.</summary>
public enum RedirectKind : ushort
{
    /// <summary>No redirect helper chose a target.</summary>
    None = 0,

    /// <summary>An interface by its index: <c>bpf_redirect</c>, or an entry of a devmap.</summary>
    Interface,

    /// <summary>A CPU, by an entry of a cpumap.</summary>
    Cpu,

    /// <summary>An AF_XDP socket, by an entry of an xskmap.</summary>
    Socket,

    /// <summary>All interfaces of a devmap (<c>BPF_F_BROADCAST</c>).</summary>
    Broadcast,
}

/// <summary>
/// Where a packet is redirected to. The program's helper resolves it and the value is kept with the packet, because in
/// staged mode other packets run before the redirect stage sees this one.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct RedirectTarget
{
    /// <summary>What kind of target.</summary>
    public RedirectKind Kind;

    /// <summary>The helper's flags (<c>BPF_F_BROADCAST</c>, <c>BPF_F_EXCLUDE_INGRESS</c>).</summary>
    public ushort Flags;

    /// <summary>Interface index, CPU number, or the socket's number, by <see cref="Kind"/>.</summary>
    public uint Value;

    /// <summary>The map that held the target, or null: a <c>MapHeader*</c>.</summary>
    public void* Map;

    /// <summary>
    /// A <see cref="GCHandle"/> to the <see cref="XdpProgram"/> on the map's entry, as a number: the redirect stage runs it on
    /// what goes to the target. 0: the entry has none.
    /// </summary>
    public nint Program;
}
