using System.Runtime.InteropServices;
using RxStages.Bpf.Maps;

namespace RxStages.Linux.Memory;

/// <summary>
/// Asks for huge pages: from a million entries on, walking page tables is most of what a look-up in a table costs. Not for
/// runs that must stay small: each page touched takes 2 MiB.
/// </summary>
public static partial class HugePages
{
    private const int AdviseHugePage = 14;

    /// <summary>The advice for maps, or null where the system takes none.</summary>
    public static MemoryAdvice? Advice => OperatingSystem.IsLinux() ? Ask : null;

    /// <summary>Only advice: where there are no huge pages, <c>EINVAL</c> and small pages are as good an answer.</summary>
    private static void Ask(nint address, nuint size) => _ = Advise(address, size, AdviseHugePage);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint size, int advice);
}
