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
