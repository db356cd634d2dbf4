using System.Text;
using Microsoft.Win32.SafeHandles;

namespace RxStages.Cli.Shared;

/// <summary>
/// The standard output, which tells when its reader went away: the console's own stream takes everything then, and a long
/// replay into <c>head</c> would go on for nobody.
/// </summary>
internal static class StandardOutput
{
    private const int Descriptor = 1;

    /// <summary>The number of a write to a pipe that nobody reads (<c>EPIPE</c>).</summary>
    private const int BrokenPipe = 32;

    /// <summary>Opens it for bytes.</summary>
    public static Stream Open()
    {
        if (OperatingSystem.IsWindows())
        {
            return Console.OpenStandardOutput();
        }
        try
        {
            var stream = new FileStream(
                new SafeFileHandle(Descriptor, ownsHandle: false),
                FileAccess.Write,
                bufferSize: 0
            );
            // A file's place is shared with others that write to it, which a stream of its own does not know.
            return stream.CanSeek ? Console.OpenStandardOutput() : stream;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return Console.OpenStandardOutput();
        }
    }

    /// <summary>Has <see cref="Console.Out"/> tell, too, unless it is a terminal.</summary>
    public static void Redirect()
    {
        if (Console.IsOutputRedirected)
        {
            Console.SetOut(
                new StreamWriter(Open(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { AutoFlush = true }
            );
        }
    }

    /// <summary>True for the error of a write that nobody reads.</summary>
    public static bool IsClosedByReader(IOException error) =>
        !OperatingSystem.IsWindows() && error.HResult == BrokenPipe;
}
