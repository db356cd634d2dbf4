namespace RxStages.Bpf.Objects;

/// <summary>Flags of map creation (<c>map_flags</c>), as in the kernel's <c>bpf.h</c>.</summary>
[Flags]
public enum MapFlags : uint
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary><c>BPF_F_NO_PREALLOC</c>: entries are allocated when they are made.</summary>
    NoPrealloc = 1 << 0,

    /// <summary><c>BPF_F_NO_COMMON_LRU</c>: an LRU list per CPU.</summary>
    NoCommonLru = 1 << 1,

    /// <summary><c>BPF_F_NUMA_NODE</c></summary>
    NumaNode = 1 << 2,

    /// <summary><c>BPF_F_RDONLY</c>: not writable by system calls.</summary>
    ReadOnly = 1 << 3,

    /// <summary><c>BPF_F_WRONLY</c>: not readable by system calls.</summary>
    WriteOnly = 1 << 4,

    /// <summary><c>BPF_F_STACK_BUILD_ID</c></summary>
    StackBuildId = 1 << 5,

    /// <summary><c>BPF_F_ZERO_SEED</c>: hash with seed 0.</summary>
    ZeroSeed = 1 << 6,

    /// <summary><c>BPF_F_RDONLY_PROG</c>: not writable by programs.</summary>
    ReadOnlyProgram = 1 << 7,

    /// <summary><c>BPF_F_WRONLY_PROG</c>: not readable by programs.</summary>
    WriteOnlyProgram = 1 << 8,

    /// <summary><c>BPF_F_CLONE</c></summary>
    Clone = 1 << 9,

    /// <summary><c>BPF_F_MMAPABLE</c>: values can be mapped into user space.</summary>
    Mmapable = 1 << 10,

    /// <summary><c>BPF_F_PRESERVE_ELEMS</c></summary>
    PreserveElements = 1 << 11,

    /// <summary><c>BPF_F_INNER_MAP</c>: inner maps may differ in size.</summary>
    InnerMap = 1 << 12,
}
