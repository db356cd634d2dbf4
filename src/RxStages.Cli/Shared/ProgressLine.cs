using System.Diagnostics;

namespace RxStages.Cli.Shared;

/// <summary>A line on the terminal that says how far a long job is; nothing at all where the standard error is no terminal.</summary>
internal sealed class ProgressLine(string what) : IDisposable
{
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(200);
    private readonly bool _isTerminal = !Console.IsErrorRedirected;
    private readonly Stopwatch _sinceLast = Stopwatch.StartNew();
    private bool _isShown;

    /// <summary>Shows the progress, now and then.</summary>
    /// <param name="fraction">0 to 1, or null if it is not known.</param>
    public void Report(double? fraction)
    {
        if (_isTerminal && _sinceLast.Elapsed >= s_interval)
        {
            _sinceLast.Restart();
            _isShown = true;
            Console.Error.Write(fraction is { } known ? $"\r{what} {known, 4:P0} " : $"\r{what} … ");
        }
    }

    public void Dispose()
    {
        if (_isShown)
        {
            Console.Error.Write("\r" + new string(' ', what.Length + 8) + "\r");
        }
    }
}
