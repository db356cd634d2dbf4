namespace RxStages.Cli.Shared;

/// <summary>What the command's exit codes mean.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Done = 0;

    /// <summary>Failed: an input was broken, an output could not be written, a program was rejected.</summary>
    public const int Failed = 1;

    /// <summary>Wrong usage: the options do not make sense.</summary>
    public const int WrongUsage = 2;

    /// <summary>What a shell says of a command that its reader's end ended (128 + <c>SIGPIPE</c>).</summary>
    public const int OutputClosed = 141;
}
