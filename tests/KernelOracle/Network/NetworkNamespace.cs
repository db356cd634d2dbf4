using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace RxStages.KernelOracle.Tests.Network;

/// <summary>
/// A network namespace of the test's own, with nothing in it but a loopback interface: entered by a thread, gone with it.
/// Programs that the thread has the kernel run find themselves in it.
/// </summary>
internal static partial class NetworkNamespace
{
    private const int CloneNewNet = 0x4000_0000;

    /// <summary>Runs something in a new namespace; skips the test where there is no <c>ip</c> to set it up with.</summary>
    public static void Run(Action action)
    {
        ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                if (Unshare(CloneNewNet) != 0)
                {
                    Assert.Skip($"no network namespace: {Marshal.GetLastPInvokeErrorMessage()}");
                }
                action();
            }
            catch (Exception exception)
            {
                failure = ExceptionDispatchInfo.Capture(exception);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
    }

    /// <summary>Runs a command in the namespace of the calling thread, and gives what it printed.</summary>
    public static string Command(string commandLine)
    {
        var words = commandLine.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        using var process = Start(words);
        var output = process.StandardOutput.ReadToEnd();
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{commandLine}: {errors}");
        return output;
    }

    /// <summary>Writes a setting of the namespace, by its path below <c>/proc/sys/net</c>.</summary>
    public static void Set(string setting, int value) =>
        File.WriteAllText($"/proc/thread-self/root/proc/sys/net/{setting}", value.ToString());

    private static Process Start(string[] words)
    {
        try
        {
            return Process.Start(
                new ProcessStartInfo(words[0], words.Skip(1))
                {
                    UseShellExecute = false,
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                }
            )!;
        }
        catch (Win32Exception)
        {
            Assert.Skip($"no '{words[0]}' to set the network up with");
            throw;
        }
    }

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    private static partial int Unshare(int flags);
}
