using RxStages.Bpf.Errors;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Programs;

namespace RxStages.Cli.Shared;

/// <summary>Contents of maps from files: <c>--map NAME=FILE.json</c>, before a run.</summary>
internal static class MapFiles
{
    /// <summary>Fills maps as the user asked.</summary>
    /// <param name="objects">The objects whose maps are named; one that none has is looked for in the first.</param>
    /// <param name="arguments">Each <c>NAME=FILE.json</c>.</param>
    /// <param name="findElsewhere">Finds programs of other objects, as <see cref="LoadedObject.FillMap"/> has it.</param>
    /// <exception cref="UsageException">An argument is not of that form.</exception>
    /// <exception cref="InputException">A map or a file is not there, or the file's contents do not fit.</exception>
    public static void Fill(
        IReadOnlyList<LoadedObject> objects,
        IEnumerable<string> arguments,
        Func<string, (LoadedObject Object, string? Program)?>? findElsewhere = null
    )
    {
        foreach (var argument in arguments)
        {
            if (argument.Split('=', 2) is not [{ Length: > 0 } name, { Length: > 0 } path])
            {
                throw new UsageException($"--map {argument}: it takes NAME=FILE.json");
            }
            var loaded = objects.FirstOrDefault(each => each.Maps.Any(map => map.Spec.Name == name)) ?? objects[0];
            loaded.FillMap(name, Read(path), path, findElsewhere);
        }
    }

    /// <summary>Reads a file, which may be a pipe: its length is known at its end only.</summary>
    private static byte[] Read(string path)
    {
        using var bytes = new MemoryStream();
        try
        {
            using var file = File.OpenRead(path);
            var buffer = new byte[1 << 16];
            for (int count; (count = file.Read(buffer)) > 0; )
            {
                bytes.Write(buffer, 0, count);
                if (bytes.Length > MapContents.MaxLength)
                {
                    throw new InputException(path, place: null, $"larger than {MapContents.MaxLength} bytes");
                }
            }
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            throw FileErrors.Describe(path, "cannot be read", error);
        }
        return bytes.ToArray();
    }
}
