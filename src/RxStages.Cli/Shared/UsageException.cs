namespace RxStages.Cli.Shared;

/// <summary>Options that parse but do not fit together; the command ends with exit code 2.</summary>
internal sealed class UsageException(string message) : Exception(message);
