using System.Collections.Frozen;

namespace RxStages.Bpf.Objects;

/// <summary>
/// What the name of a code section says of its programs. The names are libbpf's (<c>xdp</c>, <c>xdp.frags</c>,
/// <c>xdp/devmap</c>, <c>xdp.frags/cpumap</c>…), and those of its first years, when any name that began with
/// <c>xdp</c> would do. A question mark in front (not loaded unless asked for) makes no difference.
/// </summary>
/// <param name="AttachKind">Where its programs attach.</param>
/// <param name="IsFrags">True when they support packets of several buffers.</param>
internal readonly record struct XdpSection(AttachKind AttachKind, bool IsFrags)
{
    private const string Prefix = "xdp";
    private const string FragsPrefix = "xdp.frags";
    private const string Replacement = "freplace";

    // What libbpf knows to be for something else, up to the first slash or dot (its section_defs).
    private static readonly FrozenSet<string> Others = FrozenSet.Create(
        StringComparer.Ordinal,
        "action",
        "cgroup",
        "cgroup_skb",
        "classifier",
        "fentry",
        "fexit",
        "flow_dissector",
        "fmod_ret",
        "freplace",
        "iter",
        "kprobe",
        "kretprobe",
        "kretsyscall",
        "ksyscall",
        "lirc_mode2",
        "lsm",
        "lsm_cgroup",
        "lwt_in",
        "lwt_out",
        "lwt_seg6local",
        "lwt_xmit",
        "netfilter",
        "netkit",
        "perf_event",
        "raw_tp",
        "raw_tracepoint",
        "sk_lookup",
        "sk_msg",
        "sk_reuseport",
        "sk_skb",
        "socket",
        "sockops",
        "struct_ops",
        "syscall",
        "tc",
        "tcx",
        "tp",
        "tp_btf",
        "tracepoint",
        "uprobe",
        "uretprobe",
        "usdt"
    );

    /// <summary>True when the name says nothing of what its programs are for: they may be for XDP.</summary>
    public static bool IsUnknown(string name)
    {
        var plain = name.TrimStart('?');
        var end = plain.AsSpan().IndexOfAny('/', '.');
        return !Others.Contains(end < 0 ? plain : plain[..end]);
    }

    /// <summary>The function that a section's programs are to replace (<c>freplace/NAME</c>; empty where it is left to the loader), or null.</summary>
    public static string? ReplacedFunction(string name)
    {
        var plain = name.TrimStart('?');
        return plain == Replacement ? ""
            : plain.StartsWith(Replacement + "/", StringComparison.Ordinal) ? plain[(Replacement.Length + 1)..]
            : null;
    }

    /// <summary>Reads a section's name; null when its programs are not for XDP.</summary>
    public static XdpSection? Parse(string name)
    {
        var plain = name.StartsWith('?') ? name[1..] : name;
        if (!plain.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return null;
        }
        var isFrags = plain == FragsPrefix || plain.StartsWith(FragsPrefix + "/", StringComparison.Ordinal);
        var rest = plain[(isFrags ? FragsPrefix : Prefix).Length..];
        return new XdpSection(
            Names(rest, "devmap") ? AttachKind.Devmap
                : Names(rest, "cpumap") ? AttachKind.Cpumap
                : AttachKind.Xdp,
            isFrags
        );
    }

    private static bool Names(string rest, string target) =>
        rest.Length > target.Length
        && rest[0] is '/' or '_'
        && rest.AsSpan(1).StartsWith(target, StringComparison.Ordinal)
        && (rest.Length == target.Length + 1 || rest[target.Length + 1] == '/');
}
