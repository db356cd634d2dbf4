namespace RxStages.Bpf.Errors;

/// <summary>
/// Input from outside (an object file, a capture, a map file, an option) is broken or asks for something that is not
/// supported. The message names the source, the place in it and the reason; the command prints it and exits with 1.
/// </summary>
/// <param name="source">What was read, as the user named it: a file's path, usually.</param>
/// <param name="place">Where in it: a section, an offset, an entry; null where the whole is meant.</param>
/// <param name="reason">What is wrong, and where possible what to do.</param>
public class InputException(string source, string? place, string reason)
    : Exception(place is null ? $"{source}: {reason}" : $"{source}: {place}: {reason}")
{
    /// <summary>What was read, as the user named it.</summary>
    public string InputSource { get; } = source;

    /// <summary>Where in it, or null where the whole is meant.</summary>
    public string? Place { get; } = place;

    /// <summary>What is wrong.</summary>
    public string Reason { get; } = reason;
}
