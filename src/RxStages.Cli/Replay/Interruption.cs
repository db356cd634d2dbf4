using System.Diagnostics;
using System.Runtime.InteropServices;

namespace RxStages.Cli.Replay;

/// <summary>
/// Ctrl-C and the request to end, while a replay runs: it stops after the present vector and reports what it has. Where it
/// waits for input, or is told twice, the process ends at once.
/// </summary>
internal sealed class Interruption : IDisposable
{
    /// <summary>Exit codes of commands that a signal ended: 128 and its number.</summary>
    private const int SignalBase = 128;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_sameMoment = TimeSpan.FromMilliseconds(300);
    private readonly Stopwatch _sinceFirst = new();
    private readonly PosixSignalRegistration[] _registrations;
    private readonly ManualResetEventSlim _isOver = new();
    private volatile int _exitCode;

    public Interruption() =>
        _registrations = [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Stop(context, SignalBase + 2)),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Stop(context, SignalBase + 15)),
        ];

    /// <summary>What the command exits with; 0 while nobody interrupted it.</summary>
    public int ExitCode => _exitCode;

    /// <summary>Signals do again what they always do.</summary>
    public void Dispose()
    {
        _isOver.Set();
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }
    }

    private void Stop(PosixSignalContext context, int exitCode)
    {
        // Programs that end others, timeout(1) for one, tell them twice at the same moment: that counts once.
        context.Cancel = _exitCode == 0 || _sinceFirst.Elapsed < s_sameMoment;
        if (_exitCode != 0)
        {
            return;
        }
        _sinceFirst.Start();
        _exitCode = exitCode;
        ThreadPool.QueueUserWorkItem(_ =>
        {
            if (!_isOver.Wait(s_patience))
            {
                Console.Error.WriteLine("rxstages: interrupted while it waited for input or output");
                Environment.Exit(exitCode);
            }
        });
    }
}
