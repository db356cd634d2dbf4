using System.Globalization;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;
using RxStages.Cli.Shared;

namespace RxStages.Cli.Replay;

/// <summary>When a program runs in a chain: <c>NAME=PRIORITY[,VERDICT...]</c>.</summary>
/// <param name="Program">The program's name.</param>
/// <param name="Config">When it runs.</param>
internal sealed record NamedRunConfig(string Program, RunConfig Config)
{
    /// <summary>Reads the option's form.</summary>
    /// <exception cref="UsageException">It is not of that form.</exception>
    public static NamedRunConfig Parse(string text)
    {
        if (
            text.Split('=', 2) is not [{ Length: > 0 } name, var values]
            || values.Split(',') is not [var number, .. var verdicts]
            || !uint.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var priority)
        )
        {
            throw new UsageException(
                $"--run-config {text}: it takes NAME=PRIORITY[,VERDICT...], e.g. filter=10,XDP_PASS"
            );
        }
        var actions = verdicts.Length == 0 ? RunConfig.Default.ChainActions : 0;
        foreach (var verdict in verdicts)
        {
            actions |= 1u << (int)Action(text, verdict);
        }
        return new NamedRunConfig(name, new RunConfig(priority, actions));
    }

    private static XdpAction Action(string text, string verdict)
    {
        foreach (var action in Enum.GetValues<XdpAction>())
        {
            if (VerdictNames.NameOf((uint)action).Equals(verdict, StringComparison.OrdinalIgnoreCase))
            {
                return action;
            }
        }
        throw new UsageException($"--run-config {text}: '{verdict}' is no verdict like XDP_PASS");
    }
}
