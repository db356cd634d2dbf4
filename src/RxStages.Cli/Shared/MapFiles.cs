using System.Text.Json;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Programs;

namespace RxStages.Cli.Shared;

/// <summary>Contents of maps in files: <c>--map NAME=FILE.json</c> before a run, <c>--dump-maps FILE.json</c> after it.</summary>
internal static class MapFiles
{
    /// <summary>Fills maps as the user asked.</summary>
    /// <param name="loaded">The object whose maps are named.</param>
    /// <param name="arguments">Each <c>NAME=FILE.json</c>.</param>
    /// <exception cref="UsageException">An argument is not of that form.</exception>
    /// <exception cref="InputException">A map or a file is not there, or the file's contents do not fit.</exception>
    public static void Fill(LoadedObject loaded, IEnumerable<string> arguments)
    {
        foreach (var argument in arguments)
        {
            if (argument.Split('=', 2) is not [{ Length: > 0 } name, { Length: > 0 } path])
            {
                throw new UsageException($"--map {argument}: it takes NAME=FILE.json");
            }
            loaded.FillMap(name, Read(path), path);
        }
    }

    /// <summary>Writes the contents of all maps.</summary>
    /// <exception cref="InputException">The file cannot be written.</exception>
    public static void Dump(LoadedObject loaded, string path)
    {
        try
        {
            using var file = File.Create(path);
            using (var writer = new Utf8JsonWriter(file, JsonOutput.Options))
            {
                MapDump.Write(writer, loaded.Maps, loaded.Spec.Btf);
            }
            file.Write("\n"u8);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new InputException(path, place: null, error.Message);
        }
    }

    private static byte[] Read(string path)
    {
        try
        {
            var length = new FileInfo(path).Length;
            return length <= MapContents.MaxLength
                ? File.ReadAllBytes(path)
                : throw new InputException(path, place: null, $"larger than {MapContents.MaxLength} bytes");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new InputException(path, place: null, error.Message);
        }
    }
}
