namespace RxStages.Bpf.Errors;

/// <summary>Why a file cannot be opened, read or written, in words that say what is wrong with it.</summary>
public static class FileErrors
{
    /// <summary>True for what opening, reading or writing a file that the user named may throw.</summary>
    public static bool IsFileError(Exception error) =>
        error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException;

    /// <summary>The error for a file.</summary>
    /// <param name="path">The file, as the user named it.</param>
    /// <param name="task">What was tried, e.g. <c>cannot be opened</c>.</param>
    /// <param name="error">What came of it: see <see cref="IsFileError"/>.</param>
    public static InputException Describe(string path, string task, Exception error) =>
        path.Length == 0
            ? new InputException("\"\"", place: null, $"{task}: a file's name is missing")
            : new InputException(path, place: null, $"{task}: {Reason(path, error)}");

    private static string Reason(string path, Exception error) =>
        error switch
        {
            UnauthorizedAccessException or FileNotFoundException or IOException when Directory.Exists(path) =>
                "it is a directory",
            FileNotFoundException => "there is no such file",
            DirectoryNotFoundException => "there is no such directory",
            UnauthorizedAccessException => "permission denied",
            _ => error.Message,
        };
}
