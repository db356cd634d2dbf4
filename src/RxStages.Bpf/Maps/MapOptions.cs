namespace RxStages.Bpf.Maps;

/// <summary>
/// Told of every large piece of map memory once it is reserved and before it is touched, so that the caller can ask the
/// operating system for huge pages (on Linux <c>madvise</c>).
/// </summary>
/// <param name="address">The memory's start, on a boundary of 2 MiB.</param>
/// <param name="size">Its size in bytes, at least 2 MiB.</param>
public delegate void MemoryAdvice(nint address, nuint size);

/// <summary>How maps are made on this machine, apart from what their definition says.</summary>
public sealed record MapOptions
{
    /// <summary>The options in force where none are given.</summary>
    public static MapOptions Default { get; } = new();

    /// <summary>How many CPUs programs may see: the slots of per-CPU values; 1 or more.</summary>
    public int CpuCount { get; init; } = Environment.ProcessorCount;

    /// <summary>Asks for huge pages; null: nobody is asked.</summary>
    public MemoryAdvice? Advice { get; init; }

    /// <summary>
    /// How many bytes one map may reserve. Memory is only taken from the system as entries are used, but a definition that
    /// is out of proportion is refused at once.
    /// </summary>
    public long MemoryLimit { get; init; } = 4L << 30;
}
