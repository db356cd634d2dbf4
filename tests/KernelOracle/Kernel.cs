using RxStages.Bpf.Objects;
using RxStages.Linux.KernelBpf;

namespace RxStages.KernelOracle.Tests;

/// <summary>The kernel of this machine, where it may be asked.</summary>
internal static class Kernel
{
    private static readonly string? Unavailable = Probe();

    /// <summary>Skips the test, with the reason, where programs cannot be loaded.</summary>
    public static void Require() => Assert.SkipUnless(Unavailable is null, $"no kernel oracle: {Unavailable}");

    private static string? Probe()
    {
        if (!OperatingSystem.IsLinux())
        {
            return "bpf() is a system call of Linux";
        }
        try
        {
            using var map = KernelMap.Create(
                new MapSpec
                {
                    Name = "probe",
                    Type = MapType.Array,
                    KeySize = 4,
                    ValueSize = 4,
                    MaxEntries = 1,
                }
            );
            return null;
        }
        catch (KernelBpfException exception) when (exception.IsUnavailable)
        {
            return exception.Message;
        }
        catch (PlatformNotSupportedException exception)
        {
            return exception.Message;
        }
    }
}
