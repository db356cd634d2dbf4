using System.Globalization;
using System.Text.Json;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// Fills a map from JSON: what <see cref="MapDump"/> or <c>bpftool map dump --json</c> wrote, or what somebody wrote by
/// hand. The document is an array of entries, an object with <c>entries</c>, or one with <c>maps</c>, where the map is found
/// by its name. An entry has a <c>key</c> and a <c>value</c>; for per-CPU maps <c>values</c> with <c>cpu</c> and
/// <c>value</c>, CPUs left out getting zeros, or a <c>value</c> for all of them; for prog arrays a <c>program</c>'s name.
/// Bytes are given as an array of numbers or <c>"0x.."</c> strings, keys and values of 1, 2, 4 or 8 bytes also as one number
/// or such a string, stored little endian. <c>formatted</c> is not read, and entries whose value was an <c>error</c> are passed
/// over.
/// </summary>
public sealed class MapContents
{
    /// <summary>The longest document that is read, in bytes.</summary>
    public const int MaxLength = 128 << 20;

    private readonly NativeMap _map;
    private readonly string _source;
    private readonly Func<string, XdpProgram?> _findProgram;
    private int _count;

    private MapContents(NativeMap map, string source, Func<string, XdpProgram?> findProgram)
    {
        _map = map;
        _source = source;
        _findProgram = findProgram;
    }

    /// <summary>Adds the entries of a document to a map, in their order.</summary>
    /// <param name="map">The map.</param>
    /// <param name="json">The document.</param>
    /// <param name="source">What errors call it: the file's path, usually.</param>
    /// <param name="findProgram">Finds a program by its name, for prog arrays; null for one that there is not.</param>
    /// <returns>How many entries were read.</returns>
    /// <exception cref="InputException">
    /// The document is not what it should be, or the map does not take an entry; those before it were added.
    /// </exception>
    public static int Read(NativeMap map, ReadOnlySpan<byte> json, string source, Func<string, XdpProgram?> findProgram)
    {
        if (json.Length > MaxLength)
        {
            throw new InputException(source, null, $"has {json.Length} bytes, more than the {MaxLength} that are read");
        }
        var contents = new MapContents(map, source, findProgram);
        // Files made on Windows may begin with a mark of their encoding.
        var reader = new Utf8JsonReader(json.StartsWith("\uFEFF"u8) ? json[3..] : json);
        try
        {
            reader.Read();
            contents.ReadDocument(ref reader);
            while (reader.Read())
            {
                // Nothing may follow; the reader says so.
            }
        }
        // Strings that are no text make the second.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new InputException(source, null, exception.Message);
        }
        return contents._count;
    }

    private void ReadDocument(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.StartArray)
        {
            ReadEntries(ref reader);
            return;
        }
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw Error("is neither an array of entries nor an object");
        }
        var found = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isEntries = reader.ValueTextEquals("entries"u8);
            var isMaps = reader.ValueTextEquals("maps"u8);
            reader.Read();
            if (!isEntries && !isMaps)
            {
                reader.Skip();
                continue;
            }
            RequireArray(ref reader, isEntries ? "entries" : "maps");
            if (isEntries)
            {
                ReadEntries(ref reader);
                found = true;
            }
            else
            {
                found |= ReadMaps(ref reader);
            }
        }
        if (!found)
        {
            throw Error($"has neither entries nor a map {_map.Spec.Name}");
        }
    }

    // Reads the one of several maps that has the name.
    private bool ReadMaps(ref Utf8JsonReader reader)
    {
        var found = false;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                throw Error("maps must be objects");
            }
            var ahead = reader;
            if (HasName(ref ahead))
            {
                ReadDocument(ref reader);
                found = true;
            }
            else
            {
                reader.Skip();
            }
        }
        return found;
    }

    private bool HasName(ref Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isName = reader.ValueTextEquals("name"u8);
            reader.Read();
            if (isName && reader.TokenType == JsonTokenType.String)
            {
                return reader.ValueTextEquals(_map.Spec.Name);
            }
            reader.Skip();
        }
        return false;
    }

    private void ReadEntries(ref Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                throw EntryError("is not an object");
            }
            using var entry = JsonDocument.ParseValue(ref reader);
            ReadEntry(entry.RootElement);
            _count++;
        }
    }

    private void ReadEntry(JsonElement entry)
    {
        JsonElement? key = null;
        JsonElement? value = null;
        JsonElement? values = null;
        JsonElement? program = null;
        foreach (var member in entry.EnumerateObject())
        {
            switch (member.Name)
            {
                case "key":
                    key = member.Value;
                    break;
                case "value":
                    value = member.Value;
                    break;
                case "values":
                    values = member.Value;
                    break;
                case "program":
                    program = member.Value;
                    break;
                case "formatted":
                    break;
                default:
                    throw EntryError($"has an unknown member \"{member.Name}\"");
            }
        }
        if (key is null)
        {
            throw EntryError("has no key");
        }
        var keyBytes = new byte[_map.Spec.KeySize];
        ReadBytes(key.Value, keyBytes, "key");
        if (_map is ProgramArrayMap programs)
        {
            SetProgram(programs, BitConverter.ToUInt32(keyBytes), program);
            return;
        }
        if (program is not null)
        {
            throw EntryError($"has a program, but the map is a {MapDump.TypeName(_map.Spec.Type)}");
        }
        if (value is { ValueKind: JsonValueKind.Object } failed && failed.TryGetProperty("error", out _))
        {
            return;
        }
        var bytes = new byte[_map.SyscallValueSize];
        if (values is not null)
        {
            ReadPerCpu(values.Value, bytes);
        }
        else if (value is not null)
        {
            ReadValue(value.Value, bytes);
        }
        else
        {
            throw EntryError("has no value");
        }
        var error = _map.Update(keyBytes, bytes, UpdateFlags.Any);
        if (error != 0)
        {
            throw EntryError(Explain(error));
        }
    }

    private void SetProgram(ProgramArrayMap map, uint index, JsonElement? program)
    {
        if (program is not { ValueKind: JsonValueKind.String } name)
        {
            throw EntryError("has no program: entries of prog arrays name one as \"program\"");
        }
        if (index >= map.Spec.MaxEntries)
        {
            throw EntryError(Explain(-Errno.E2BIG));
        }
        map.SetProgram(
            index,
            _findProgram(name.GetString()!) ?? throw EntryError($"there is no program \"{name.GetString()}\"")
        );
    }

    private void ReadValue(JsonElement element, byte[] bytes)
    {
        var size = (int)_map.Spec.ValueSize;
        ReadBytes(element, bytes.AsSpan(0, size), "value");
        for (var cpu = 1; _map.IsPerCpu && cpu < _map.CpuCount; cpu++)
        {
            bytes.AsSpan(0, size).CopyTo(bytes.AsSpan(cpu * (bytes.Length / _map.CpuCount)));
        }
    }

    private void ReadPerCpu(JsonElement element, byte[] bytes)
    {
        if (!_map.IsPerCpu)
        {
            throw EntryError("has values per CPU, but the map is not per CPU");
        }
        if (element.ValueKind != JsonValueKind.Array)
        {
            throw EntryError("values is not an array");
        }
        foreach (var item in element.EnumerateArray())
        {
            if (
                item.ValueKind != JsonValueKind.Object
                || !item.TryGetProperty("cpu", out var number)
                || !item.TryGetProperty("value", out var value)
                || number.ValueKind != JsonValueKind.Number
                || !number.TryGetInt32(out var cpu)
            )
            {
                throw EntryError("values must be objects with a cpu and a value");
            }
            if (cpu < 0 || cpu >= _map.CpuCount)
            {
                throw EntryError($"has a value for CPU {cpu}, but there are {_map.CpuCount} CPUs");
            }
            var stride = bytes.Length / _map.CpuCount;
            ReadBytes(value, bytes.AsSpan(cpu * stride, (int)_map.Spec.ValueSize), "value");
        }
    }

    private void ReadBytes(JsonElement element, Span<byte> bytes, string what)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            if (element.GetArrayLength() != bytes.Length)
            {
                throw EntryError($"{what} has {element.GetArrayLength()} bytes, the map's has {bytes.Length}");
            }
            var i = 0;
            foreach (var item in element.EnumerateArray())
            {
                bytes[i] = ReadNumber(item) is { } number and <= byte.MaxValue
                    ? (byte)number
                    : throw EntryError($"{what}: byte {i} is not a number from 0 to 255 or a string like \"0x0a\"");
                i++;
            }
            return;
        }
        if (bytes.Length is not (1 or 2 or 4 or 8))
        {
            throw EntryError($"{what} is not an array of {bytes.Length} bytes");
        }
        if (ReadNumber(element) is not { } whole || (bytes.Length < 8 && whole >> (bytes.Length * 8) != 0))
        {
            throw EntryError($"{what} is neither an array of bytes nor a number that fits {bytes.Length} bytes");
        }
        BitConverter.GetBytes(whole).AsSpan(0, bytes.Length).CopyTo(bytes);
    }

    private static ulong? ReadNumber(JsonElement element)
    {
        ulong number;
        switch (element.ValueKind)
        {
            case JsonValueKind.Number:
                return element.TryGetUInt64(out number) ? number : null;
            case JsonValueKind.String:
                var text = element.GetString()!;
                return
                    text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
                    && ulong.TryParse(
                        text.AsSpan(2),
                        NumberStyles.AllowHexSpecifier,
                        CultureInfo.InvariantCulture,
                        out number
                    )
                    ? number
                    : null;
            default:
                return null;
        }
    }

    private void RequireArray(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw Error($"{name} is not an array");
        }
    }

    private string Explain(int error) =>
        error switch
        {
            -Errno.E2BIG or -Errno.ENOSPC => $"does not fit: the map has {_map.Spec.MaxEntries} entries",
            -Errno.EPERM => "cannot be set: the map is read-only",
            -Errno.ENODEV => $"names a CPU that there is not: there are {_map.CpuCount}",
            _ => $"is not one that a {MapDump.TypeName(_map.Spec.Type)} takes (error {-error})",
        };

    private InputException Error(string reason) => new(_source, null, reason);

    private InputException EntryError(string reason) => new(_source, $"entry {_count}", reason);
}
