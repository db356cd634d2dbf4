using System.Globalization;
using System.Text.Json;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Maps;

namespace RxStages.Bpf.Programs;

/// <summary>
/// Maps that live on in files, in place of the kernel's <c>/sys/fs/bpf</c>: <c>DIRECTORY/NAME</c> holds a map's definition and
/// entries as JSON, <c>{"definition":{"type","keySize","valueSize","maxEntries","flags"},"entries":[…]}</c>, the entries
/// as <see cref="MapDump"/> writes and <see cref="MapContents"/> reads them. Read when an object is loaded, written when
/// it is told to.
/// </summary>
internal static class PinnedMaps
{
    /// <summary>Fills a map from its file, where there is one.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="map">The map.</param>
    /// <param name="fill">Fills a map from a document: its bytes and its name.</param>
    /// <exception cref="InputException">The file is broken, or of another definition.</exception>
    public static void Restore(string directory, NativeMap map, Action<byte[], string> fill)
    {
        var path = PathOf(directory, map);
        byte[] bytes;
        try
        {
            if (!File.Exists(path))
            {
                return;
            }
            if (new FileInfo(path).Length > MapContents.MaxLength)
            {
                throw new InputException(path, place: null, $"larger than {MapContents.MaxLength} bytes");
            }
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            throw FileErrors.Describe(path, "cannot be read", error);
        }
        CheckDefinition(path, map, bytes);
        fill(bytes, path);
    }

    /// <summary>Writes a map's file, all of it or nothing.</summary>
    /// <exception cref="InputException">It cannot be written.</exception>
    public static void Save(string directory, NativeMap map)
    {
        var path = PathOf(directory, map);
        var unfinished = path + ".new";
        try
        {
            Directory.CreateDirectory(directory);
            using (var file = File.Create(unfinished))
            using (var writer = new Utf8JsonWriter(file))
            {
                writer.WriteStartObject();
                writer.WriteStartObject("definition");
                foreach (var (name, value) in DefinitionOf(map))
                {
                    if (uint.TryParse(value, CultureInfo.InvariantCulture, out var number))
                    {
                        writer.WriteNumber(name, number);
                    }
                    else
                    {
                        writer.WriteString(name, value);
                    }
                }
                writer.WriteEndObject();
                writer.WritePropertyName("entries");
                MapDump.WriteEntries(writer, map, btf: null);
                writer.WriteEndObject();
            }
            File.Move(unfinished, path, overwrite: true);
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            throw FileErrors.Describe(path, "cannot be written", error);
        }
    }

    private static (string Name, string Value)[] DefinitionOf(NativeMap map) =>
        [
            ("type", MapDump.TypeName(map.Spec.Type)),
            ("keySize", Text(map.Spec.KeySize)),
            ("valueSize", Text(map.Spec.ValueSize)),
            ("maxEntries", Text(map.Spec.MaxEntries)),
            ("flags", Text((uint)map.Spec.Flags)),
        ];

    private static string Text(uint number) => number.ToString(CultureInfo.InvariantCulture);

    private static void CheckDefinition(string path, NativeMap map, byte[] bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            if (
                document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("definition", out var definition)
                || definition.ValueKind != JsonValueKind.Object
            )
            {
                throw new InputException(path, place: null, "no file of a pinned map: it has no definition");
            }
            foreach (var (name, value) in DefinitionOf(map))
            {
                var pinned = definition.TryGetProperty(name, out var property) ? property.ToString() : "missing";
                if (pinned != value)
                {
                    throw new InputException(
                        path,
                        $"map {map.Spec.Name}",
                        $"{name} is {pinned} there and {value} in the object: it is pinned with another definition"
                    );
                }
            }
        }
        // Strings that are no text make the second.
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new InputException(path, place: null, $"no file of a pinned map: {error.Message}");
        }
    }

    // Names come from object files, and must not lead elsewhere.
    private static string PathOf(string directory, NativeMap map) =>
        map.Spec.Name is { Length: > 0 } name
        && name.AsSpan().IndexOfAny('/', '\\', '\0') < 0
        && name is not ("." or "..")
            ? Path.Combine(directory, name)
            : throw new InputException(
                $"map {map.Spec.Name}",
                place: null,
                "it cannot be pinned: its name is no file's"
            );
}
