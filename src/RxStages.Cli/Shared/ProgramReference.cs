namespace RxStages.Cli.Shared;

/// <summary>A program as the user names it: <c>FILE</c> or <c>FILE:PROGRAM</c>.</summary>
/// <param name="File">The object file's path.</param>
/// <param name="Program">The program's name, or null for the file's only one.</param>
internal sealed record ProgramReference(string File, string? Program)
{
    /// <summary>
    /// Splits the reference. The part behind the last colon is a program's name, unless the whole is the name of a file
    /// that exists.
    /// </summary>
    public static ProgramReference Parse(string text)
    {
        var colon = text.LastIndexOf(':');
        return colon <= 0 || System.IO.File.Exists(text)
            ? new ProgramReference(text, null)
            : new ProgramReference(text[..colon], text[(colon + 1)..]);
    }
}
