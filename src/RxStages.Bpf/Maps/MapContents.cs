using System.Globalization;
using System.Text.Json;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// Fills a map from JSON: what <see cref="MapDump"/> or <c>bpftool map dump --json</c> wrote, or what somebody wrote by
/// hand. The document is an array of entries, an object with <c>entries</c>, or one with <c>maps</c>, where the map is found
/// by its name. An entry has a <c>key</c> and a <c>value</c>; for per-CPU maps <c>values</c> with <c>cpu</c> and
/// <c>value</c>, CPUs left out getting zeros, or a <c>value</c> for all of them; for prog arrays a <c>program</c>'s name, which
/// entries of devmaps and cpumaps may have beside their value; for maps of maps a <c>map</c>'s name, or <c>entries</c> for a
/// map of its own. Queues, stacks and Bloom filters have values without keys, in the order in which they are added.
/// Bytes are given as an array of numbers or <c>"0x.."</c> strings, keys and values of 1, 2, 4 or 8 bytes also as one number
/// or such a string, stored little endian. <c>formatted</c> is not read, and entries whose value was an <c>error</c> are passed
/// over.
/// </summary>
public sealed class MapContents
{
    /// <summary>The longest document that is read, in bytes.</summary>
    public const int MaxLength = 128 << 20;

    /// <summary>The longest string that may be a number: 64 bits in hexadecimal, and zeros before them.</summary>
    private const int MaxNumberLength = 64;

    private const string PerCpuShape = "values must be objects with a cpu and a value";

    private readonly NativeMap _map;
    private readonly string _source;
    private readonly Func<string, XdpProgram?> _findProgram;
    private readonly Func<string, NativeMap?>? _findMap;
    private readonly byte[] _key;
    private readonly byte[] _value;
    private int _count;
    private long _memoryLeft = MapOptions.Default.MemoryLimit;

    private MapContents(
        NativeMap map,
        string source,
        Func<string, XdpProgram?> findProgram,
        Func<string, NativeMap?>? findMap
    )
    {
        _map = map;
        _source = source;
        _findProgram = findProgram;
        _findMap = findMap;
        _key = new byte[map.Spec.KeySize];
        _value = map is ProgramArrayMap or IMapOfMaps ? [] : new byte[map.SyscallValueSize];
    }

    /// <summary>Adds the entries of a document to a map, in their order.</summary>
    /// <param name="map">The map.</param>
    /// <param name="json">The document.</param>
    /// <param name="source">What errors call it: the file's path, usually.</param>
    /// <param name="findProgram">Finds a program by its name, for prog arrays and the like; null for one that there is not.</param>
    /// <param name="findMap">Finds a map by its name, for maps of maps; null for one that there is not.</param>
    /// <returns>How many entries were read.</returns>
    /// <exception cref="InputException">
    /// The document is not what it should be, or the map does not take an entry; those before it were added.
    /// </exception>
    public static int Read(
        NativeMap map,
        ReadOnlySpan<byte> json,
        string source,
        Func<string, XdpProgram?> findProgram,
        Func<string, NativeMap?>? findMap = null
    )
    {
        if (json.Length > MaxLength)
        {
            throw new InputException(source, null, $"has {json.Length} bytes, more than the {MaxLength} that are read");
        }
        if (json.IsEmpty)
        {
            throw new InputException(source, null, "is empty");
        }
        var contents = new MapContents(map, source, findProgram, findMap);
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
            ReadEntry(ref reader);
            _count++;
        }
    }

    // Reads straight from the document into the bytes of one entry: a document takes no memory in proportion to it.
    private void ReadEntry(ref Utf8JsonReader reader)
    {
        var (hasKey, hasValue, isError) = (false, false, false);
        string? program = null;
        NativeMap? inner = null;
        Utf8JsonReader entries = default;
        var hasEntries = false;
        Array.Clear(_value);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("key"u8))
            {
                reader.Read();
                ReadBytes(ref reader, _key, "key");
                hasKey = true;
            }
            else if (reader.ValueTextEquals("value"u8))
            {
                reader.Read();
                hasValue = true;
                if (reader.TokenType == JsonTokenType.StartObject)
                {
                    ReadError(ref reader);
                    isError = true;
                }
                else if (_value.Length == 0)
                {
                    // The number of a program or map, which is nothing to another process.
                    reader.Skip();
                }
                else
                {
                    ReadValue(ref reader);
                }
            }
            else if (reader.ValueTextEquals("values"u8))
            {
                reader.Read();
                hasValue = true;
                ReadPerCpu(ref reader);
            }
            else if (reader.ValueTextEquals("program"u8))
            {
                reader.Read();
                program = reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
                if (program is null || _map is not (ProgramArrayMap or IEntryPrograms))
                {
                    throw EntryError(
                        program is null
                            ? "has a program that is not a name"
                            : $"has a program, but the map is a {MapDump.TypeName(_map.Spec.Type)}"
                    );
                }
            }
            else if (_map is IMapOfMaps && reader.ValueTextEquals("map"u8))
            {
                reader.Read();
                inner = reader.TokenType == JsonTokenType.String ? _findMap?.Invoke(reader.GetString()!) : null;
            }
            else if (_map is IMapOfMaps && reader.ValueTextEquals("entries"u8))
            {
                reader.Read();
                RequireArray(ref reader, "entries");
                entries = reader;
                hasEntries = true;
                reader.Skip();
            }
            else if (reader.ValueTextEquals("formatted"u8))
            {
                reader.Skip();
            }
            else
            {
                throw EntryError($"has an unknown member \"{reader.GetString()}\"");
            }
        }
        if (!hasKey && _key.Length != 0)
        {
            throw EntryError("has no key");
        }
        if (_map is ProgramArrayMap programs)
        {
            SetProgram(programs, BitConverter.ToUInt32(_key), program);
        }
        else if (_map is IMapOfMaps outer)
        {
            SetMap(outer, inner, hasEntries, ref entries);
        }
        else if (!hasValue)
        {
            throw EntryError("has no value");
        }
        else if (program is not null && !isError)
        {
            var error = ((IEntryPrograms)_map).SetEntry(
                BitConverter.ToUInt32(_key),
                BitConverter.ToUInt32(_value),
                FindProgram(program)
            );
            ThrowIfError(error);
        }
        else if (!isError)
        {
            ThrowIfError(_map.Update(_key, _value, UpdateFlags.Any));
        }
    }

    // A map that there is, or one of its own, which is filled first.
    private void SetMap(IMapOfMaps outer, NativeMap? inner, bool hasEntries, ref Utf8JsonReader entries)
    {
        if (inner is not null)
        {
            ThrowIfError(outer.SetMap(_key, inner));
            return;
        }
        if (!hasEntries)
        {
            throw EntryError("has neither the name of a map as \"map\" nor \"entries\" for one");
        }
        // However many maps a document makes, together they take no more memory than one may.
        var options = new MapOptions { CpuCount = _map.CpuCount, MemoryLimit = _memoryLeft };
        var made = MapFactory.Create(outer.Template, options);
        _memoryLeft = made.MemoryLeft;
        try
        {
            new MapContents(made, $"{_source}: entry {_count}", _findProgram, _findMap).ReadEntries(ref entries);
            ThrowIfError(outer.SetMap(_key, made, owns: true));
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    private XdpProgram FindProgram(string name) =>
        _findProgram(name) ?? throw EntryError($"there is no program \"{name}\"");

    private void ThrowIfError(int error)
    {
        if (error != 0)
        {
            throw EntryError(Explain(error));
        }
    }

    private void SetProgram(ProgramArrayMap map, uint index, string? program)
    {
        if (program is null)
        {
            throw EntryError("has no program: entries of prog arrays name one as \"program\"");
        }
        ThrowIfError(index >= map.Spec.MaxEntries ? -Errno.E2BIG : 0);
        map.SetProgram(index, FindProgram(program));
    }

    // What bpftool writes where it could not read the value.
    private void ReadError(ref Utf8JsonReader reader)
    {
        var isError = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            isError |= reader.ValueTextEquals("error"u8);
            reader.Skip();
        }
        if (!isError)
        {
            throw EntryError($"value is not {Shape((int)_map.Spec.ValueSize)}");
        }
    }

    private void ReadValue(ref Utf8JsonReader reader)
    {
        var size = (int)_map.Spec.ValueSize;
        ReadBytes(ref reader, _value.AsSpan(0, size), "value");
        for (var cpu = 1; _map.IsPerCpu && cpu < _map.CpuCount; cpu++)
        {
            _value.AsSpan(0, size).CopyTo(_value.AsSpan(cpu * (_value.Length / _map.CpuCount)));
        }
    }

    private void ReadPerCpu(ref Utf8JsonReader reader)
    {
        if (!_map.IsPerCpu)
        {
            throw EntryError("has values per CPU, but the map is not per CPU");
        }
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw EntryError("values is not an array");
        }
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                throw EntryError(PerCpuShape);
            }
            // The CPU may stand behind the value.
            var ahead = reader;
            var cpu = ReadCpu(ref ahead);
            if (cpu < 0 || cpu >= _map.CpuCount)
            {
                throw EntryError($"has a value for CPU {cpu}, but there are {_map.CpuCount} CPUs");
            }
            var bytes = _value.AsSpan(cpu * (_value.Length / _map.CpuCount), (int)_map.Spec.ValueSize);
            var hasValue = false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isValue = reader.ValueTextEquals("value"u8);
                reader.Read();
                if (isValue)
                {
                    ReadBytes(ref reader, bytes, "value");
                    hasValue = true;
                }
                else
                {
                    reader.Skip();
                }
            }
            if (!hasValue)
            {
                throw EntryError(PerCpuShape);
            }
        }
    }

    private int ReadCpu(ref Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isCpu = reader.ValueTextEquals("cpu"u8);
            reader.Read();
            if (isCpu && reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out var cpu))
            {
                return cpu;
            }
            reader.Skip();
        }
        throw EntryError(PerCpuShape);
    }

    private void ReadBytes(ref Utf8JsonReader reader, Span<byte> bytes, string what)
    {
        if (reader.TokenType == JsonTokenType.StartArray)
        {
            var count = 0;
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (ReadNumber(ref reader) is not { } number || number > byte.MaxValue)
                {
                    throw EntryError($"{what}: byte {count} is not a number from 0 to 255 or a string like \"0x0a\"");
                }
                if (count < bytes.Length)
                {
                    bytes[count] = (byte)number;
                }
                count++;
            }
            if (count != bytes.Length)
            {
                throw EntryError($"{what} has {count} bytes, the map's has {bytes.Length}");
            }
            return;
        }
        if (bytes.Length is not (1 or 2 or 4 or 8))
        {
            throw EntryError($"{what} is not {Shape(bytes.Length)}");
        }
        if (ReadNumber(ref reader) is not { } whole || (bytes.Length < 8 && whole >> (bytes.Length * 8) != 0))
        {
            throw EntryError($"{what} is neither an array of bytes nor a number that fits {bytes.Length} bytes");
        }
        BitConverter.GetBytes(whole).AsSpan(0, bytes.Length).CopyTo(bytes);
    }

    private static string Shape(int length) => $"an array of {length} bytes";

    // The present token as a number; null if it is none.
    private static ulong? ReadNumber(ref Utf8JsonReader reader)
    {
        ulong number;
        switch (reader.TokenType)
        {
            case JsonTokenType.Number:
                return reader.TryGetUInt64(out number) ? number : null;
            case JsonTokenType.String:
                Span<char> text = stackalloc char[MaxNumberLength];
                if (reader.ValueSpan.Length > MaxNumberLength)
                {
                    return null;
                }
                var length = reader.CopyString(text);
                return
                    text[..length].StartsWith("0x", StringComparison.OrdinalIgnoreCase)
                    && ulong.TryParse(
                        text[2..length],
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
