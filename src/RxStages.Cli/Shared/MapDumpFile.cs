using System.Text.Json;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Programs;

namespace RxStages.Cli.Shared;

/// <summary>The contents of maps in a file: <c>--dump-maps FILE.json</c>, after a run.</summary>
internal sealed class MapDumpFile : IDisposable
{
    private readonly string _path;
    private readonly FileStream _file;

    /// <summary>Creates the file, or begins anew one that is there.</summary>
    /// <exception cref="InputException">It cannot be created.</exception>
    public MapDumpFile(string path)
    {
        _path = path;
        try
        {
            _file = File.Create(path);
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            throw FileErrors.Describe(path, "cannot be created", error);
        }
    }

    /// <summary>Writes the contents of all maps of objects.</summary>
    /// <exception cref="InputException">The file cannot be written.</exception>
    public void Write(IEnumerable<LoadedObject> objects)
    {
        try
        {
            using (var writer = new Utf8JsonWriter(_file, JsonOutput.Options))
            {
                MapDump.Write(writer, objects.SelectMany(each => each.Maps.Select(map => (map, each.Spec.Btf))));
            }
            _file.Write("\n"u8);
            _file.Flush();
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            throw FileErrors.Describe(_path, "cannot be written", error);
        }
    }

    public void Dispose() => _file.Dispose();
}
