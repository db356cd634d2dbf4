using System.Diagnostics;
using System.Text;
using System.Text.Json;
using RxStages.TestKit;

namespace RxStages.Cli.Tests;

/// <summary>The command as a user runs it: a process of its own.</summary>
internal static class Rxstages
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    /// <summary>Runs the command to its end in the repository's root.</summary>
    public static Result Run(params string[] arguments) => RunWithInput([], arguments);

    /// <summary>Runs the command with bytes on its standard input.</summary>
    public static Result RunWithInput(byte[] input, params string[] arguments)
    {
        var start = NewStart("dotnet");
        start.ArgumentList.Add(Assembly);
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }
        return Run(start, input);
    }

    /// <summary>Runs a line of shell in which <c>$RXSTAGES</c> is the command.</summary>
    public static Result RunInShell(string line)
    {
        var start = NewStart("/bin/sh");
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(line);
        start.Environment["RXSTAGES"] = "dotnet " + Assembly;
        return Run(start, []);
    }

    private static string Assembly => Path.Combine(AppContext.BaseDirectory, "RxStages.Cli.dll");

    private static ProcessStartInfo NewStart(string file) =>
        new(file)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Repository.Root,
        };

    private static Result Run(ProcessStartInfo start, byte[] input)
    {
        using var process = Process.Start(start)!;
        var output = Task.Run(() => ReadAll(process.StandardOutput.BaseStream));
        var error = Task.Run(() => ReadAll(process.StandardError.BaseStream));
        process.StandardInput.BaseStream.Write(input);
        process.StandardInput.Close();
        if (!process.WaitForExit(s_patience))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"rxstages {string.Join(' ', start.ArgumentList)} does not end");
        }
        return new Result(process.ExitCode, output.Result, Encoding.UTF8.GetString(error.Result));
    }

    private static byte[] ReadAll(Stream stream)
    {
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    /// <summary>How a run ended.</summary>
    internal sealed record Result(int ExitCode, byte[] OutputBytes, string Error)
    {
        public string Output { get; } = Encoding.UTF8.GetString(OutputBytes);

        public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

        /// <summary>The output's lines as JSON values.</summary>
        public JsonElement[] Json => [.. Lines.Select(line => JsonDocument.Parse(line).RootElement)];
    }
}
