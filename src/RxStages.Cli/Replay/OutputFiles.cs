using RxStages.Cli.Shared;

namespace RxStages.Cli.Replay;

/// <summary>What a replay writes must not be what it reads, nor two outputs one file: both would destroy data.</summary>
internal static class OutputFiles
{
    /// <summary>Checks the outputs before any of them is touched.</summary>
    /// <exception cref="UsageException">Two names are those of the same file.</exception>
    public static void Check(ReplayOptions options)
    {
        var taken = new Dictionary<string, string>(
            OperatingSystem.IsWindows() ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal
        );
        foreach (var capture in options.Captures.Where(IsFile))
        {
            taken[Resolve(capture)] = "is a capture to be replayed";
        }
        foreach (var spec in options.Objects.Concat(options.Replacements.Select(replacement => replacement.Spec)))
        {
            taken[Resolve(spec.Source)] = "is an object file";
        }
        foreach (var (option, path) in new[] { ("--routes", options.Routes), ("--sockets", options.Sockets) })
        {
            if (path is not null && IsFile(path))
            {
                taken[Resolve(path)] = $"is the file of {option}";
            }
        }
        // A map may be read from a dump and dumped there again: it is read whole, before.
        foreach (var (option, path) in Outputs(options))
        {
            if (path == "-" && options.Json)
            {
                throw new UsageException($"{option} -: the standard output is taken by --json: name a file");
            }
            if (path != "-" && !IsFile(path))
            {
                continue;
            }
            if (!taken.TryAdd(path == "-" ? path : Resolve(path), $"is the output of {option}"))
            {
                throw new UsageException(
                    $"{option} {path}: the same file {taken[path == "-" ? path : Resolve(path)]}: name another file"
                );
            }
        }
    }

    private static IEnumerable<(string Option, string Path)> Outputs(ReplayOptions options)
    {
        (string, string?)[] outputs =
        [
            ("--write", options.Write),
            ("--write-pass", options.WritePass),
            ("--write-tx", options.WriteTx),
            ("--write-redirect", options.WriteRedirect),
            ("--write-drop", options.WriteDrop),
            ("--events", options.Events),
            ("--dump-maps", options.DumpMaps),
        ];
        return outputs.Where(output => output.Item2 is not null)!;
    }

    /// <summary>False for standard streams and devices, which several may share.</summary>
    private static bool IsFile(string path) =>
        path is not ("" or "-") && !Path.GetFullPath(path).StartsWith("/dev/", StringComparison.Ordinal);

    /// <summary>The file's one name: absolute, every symbolic link on the way followed.</summary>
    private static string Resolve(string path)
    {
        if (path.Length == 0)
        {
            return path;
        }
        path = Path.GetFullPath(path);
        try
        {
            var folder = Path.GetDirectoryName(path) is { } parent ? Resolve(parent) : path;
            var name = Path.GetFileName(path);
            var here = name.Length == 0 ? path : Path.Combine(folder, name);
            return File.ResolveLinkTarget(here, returnFinalTarget: true) is { } target
                ? Path.GetFullPath(target.FullName)
                : here;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // It cannot be opened either, which says why.
            return path;
        }
    }
}
