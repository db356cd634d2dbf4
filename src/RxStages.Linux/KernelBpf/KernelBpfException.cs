using System.Runtime.InteropServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Linux.KernelBpf;

/// <summary>The kernel refused a <c>bpf()</c> command. The message says what was asked, what it answered, and what to do.</summary>
/// <param name="action">What was asked: <c>create map x</c>.</param>
/// <param name="errno">The error number, positive.</param>
/// <param name="verifierLog">What the kernel's verifier said; null when the command is not about a program.</param>
public sealed class KernelBpfException(string action, int errno, string? verifierLog = null)
    : Exception(Describe(action, errno, verifierLog))
{
    private const int ENOSYS = 38;

    /// <summary>The error number, positive.</summary>
    public int ErrorNumber { get; } = errno;

    /// <summary>The verifier's whole log, or null.</summary>
    public string? VerifierLog { get; } = verifierLog;

    /// <summary>True when the caller lacks the privilege, or the kernel lacks <c>bpf()</c>: nothing is wrong with what was asked.</summary>
    public bool IsUnavailable => ErrorNumber is Errno.EPERM or ENOSYS;

    private static string Describe(string action, int errno, string? verifierLog)
    {
        var advice = errno switch
        {
            Errno.EPERM =>
                "; needs root or CAP_BPF and CAP_NET_ADMIN (or a higher RLIMIT_MEMLOCK on kernels before 5.11)",
            ENOSYS => "; this kernel has no bpf() (CONFIG_BPF_SYSCALL)",
            Errno.E2BIG => "; too large for the kernel, or an option that this kernel does not know",
            _ => "",
        };
        var message = $"kernel: cannot {action}: {Marshal.GetPInvokeErrorMessage(errno)} ({errno}){advice}";
        return LastComplaint(verifierLog) is { } complaint ? $"{message}: {complaint}" : message;
    }

    // The log ends with statistics ("processed 12 insns ..."); the reason stands right before.
    private static string? LastComplaint(string? log)
    {
        var lines = log?.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
        return Array.FindLast(lines, line => !line.StartsWith("processed ", StringComparison.Ordinal));
    }
}
