using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>Flags of updates, as in the kernel's <c>bpf.h</c>.</summary>
public static class UpdateFlags
{
    /// <summary><c>BPF_ANY</c>: make the entry or change it.</summary>
    public const ulong Any = 0;

    /// <summary><c>BPF_NOEXIST</c>: only make it.</summary>
    public const ulong NoExist = 1;

    /// <summary><c>BPF_EXIST</c>: only change it.</summary>
    public const ulong Exist = 2;

    /// <summary><c>BPF_F_LOCK</c>: hold the lock in the value meanwhile.</summary>
    public const ulong Lock = 4;

    /// <summary>Whether an update may go on, once it is known if the entry is there: 0 or a negated error number.</summary>
    internal static int Check(ulong flags, bool exists) =>
        flags == NoExist && exists ? -Errno.EEXIST
        : flags == Exist && !exists ? -Errno.ENOENT
        : 0;
}
