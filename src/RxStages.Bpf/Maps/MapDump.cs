using System.Globalization;
using System.Text.Json;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// Writes the contents of maps as JSON, entries in the form of <c>bpftool map dump --json</c>: keys and values as arrays of
/// <c>"0x.."</c> strings, per-CPU values with their CPU, and <c>formatted</c> where there is BTF. Beyond bpftool's form,
/// entries of prog arrays, devmaps and cpumaps name the program, those of maps of maps the map, with its own entries. Queues
/// and stacks have values without keys, the oldest first. Of ring buffers and perf event arrays it writes the records
/// that nobody has read, and reads them by that. Bloom filters cannot be listed.
/// </summary>
public sealed class MapDump
{
    /// <summary>How much is kept before it goes to the writer's stream: dumps may be larger than memory.</summary>
    private const int MaxPending = 1 << 20;

    private static readonly JsonEncodedText[] Bytes =
    [
        .. Enumerable
            .Range(0, 256)
            .Select(value => JsonEncodedText.Encode("0x" + value.ToString("x2", CultureInfo.InvariantCulture))),
    ];

    private readonly Utf8JsonWriter _writer;
    private readonly NativeMap _map;
    private readonly Btf? _types;
    private readonly Btf? _btf;

    private MapDump(Utf8JsonWriter writer, NativeMap map, Btf? btf)
    {
        _writer = writer;
        _map = map;
        _types = btf;
        _btf = map.Spec.BtfValueType == 0 ? null : btf;
    }

    /// <summary>Writes <c>{"maps":[{"name":…,"type":…,"entries":[…]},…]}</c>.</summary>
    /// <param name="writer">Takes it.</param>
    /// <param name="maps">
    /// The maps, and the types that their definitions name; null: nothing is formatted. Programs should not be changing them.
    /// </param>
    public static void Write(Utf8JsonWriter writer, IEnumerable<(NativeMap Map, Btf? Types)> maps)
    {
        writer.WriteStartObject();
        writer.WriteStartArray("maps");
        foreach (var (map, btf) in maps)
        {
            writer.WriteStartObject();
            writer.WriteString("name", map.Spec.Name);
            writer.WriteString("type", TypeName(map.Spec.Type));
            writer.WritePropertyName("entries");
            WriteEntries(writer, map, btf);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    /// <summary>Writes the array of a map's entries, as <c>bpftool map dump --json</c> does.</summary>
    public static void WriteEntries(Utf8JsonWriter writer, NativeMap map, Btf? btf) =>
        new MapDump(writer, map, btf).WriteEntries();

    /// <summary>The name that bpftool has for a type of maps, e.g. <c>lru_percpu_hash</c>.</summary>
    public static string TypeName(MapType type) =>
        MapTypeTable.Find(type)?.Name ?? JsonNamingPolicy.SnakeCaseLower.ConvertName(type.ToString());

    private void WriteEntries()
    {
        _writer.WriteStartArray();
        switch (_map)
        {
            case QueueMap queue:
                foreach (var value in queue.Values)
                {
                    WriteValue(value);
                }
                break;
            case RingbufMap ring:
                ring.Consume(WriteValue);
                break;
            case PerfEventArrayMap events:
                events.Consume(WriteEvent);
                break;
            case BloomFilterMap:
                break;
            default:
                WriteKeys();
                break;
        }
        _writer.WriteEndArray();
    }

    private void WriteValue(ReadOnlySpan<byte> value)
    {
        _writer.WriteStartObject();
        WriteBytes("value", value);
        _writer.WriteEndObject();
    }

    private void WriteEvent(uint index, ReadOnlySpan<byte> data, ulong lost)
    {
        _writer.WriteStartObject();
        _writer.WriteNumber("index", index);
        WriteBytes("value", data);
        if (lost != 0)
        {
            _writer.WriteNumber("lost_before", lost);
        }
        _writer.WriteEndObject();
    }

    private void WriteKeys()
    {
        var value = new byte[_map.SyscallValueSize];
        var key = new byte[_map.Spec.KeySize];
        for (var error = _map.Next([], key); error == 0; error = _map.Next(key, key))
        {
            WriteEntry(key, value, _map.Read(key, value, flags: 0));
        }
    }

    private void WriteEntry(byte[] key, byte[] value, int error)
    {
        if (_map is ProgramArrayMap or ArrayOfMaps && error == -Errno.ENOENT)
        {
            return;
        }
        _writer.WriteStartObject();
        WriteBytes("key", key);
        if (error != 0)
        {
            _writer.WriteStartObject("value");
            _writer.WriteString(
                "error",
                error == -Errno.ENOENT ? "No such file or directory" : "Operation not supported"
            );
            _writer.WriteEndObject();
        }
        else if (_map.IsPerCpu)
        {
            WritePerCpu(value, (_, part) => WriteBytes("value", part));
        }
        else
        {
            WriteBytes("value", value);
        }
        if (_map is ProgramArrayMap programs)
        {
            _writer.WriteString("program", programs.GetProgram(BitConverter.ToUInt32(key))?.Name);
        }
        if (_map is IEntryPrograms entries && entries.GetProgram(BitConverter.ToUInt32(key)) is { } program)
        {
            _writer.WriteString("program", program.Name);
        }
        if (_map is IMapOfMaps outer && outer.GetMap(key) is { } inner)
        {
            _writer.WriteString("map", inner.Spec.Name);
            _writer.WritePropertyName("entries");
            WriteEntries(_writer, inner, _types);
        }
        if (_btf is { } btf && error == 0)
        {
            WriteFormatted(btf, key, value);
        }
        _writer.WriteEndObject();
    }

    private void WriteFormatted(Btf btf, byte[] key, byte[] value)
    {
        _writer.WriteStartObject("formatted");
        if (_map.Spec.BtfKeyType != 0)
        {
            _writer.WritePropertyName("key");
            BtfFormatter.Write(_writer, btf, _map.Spec.BtfKeyType, key);
        }
        if (_map.IsPerCpu)
        {
            WritePerCpu(value, WriteValue);
        }
        else
        {
            WriteValue(0, value);
        }
        _writer.WriteEndObject();

        void WriteValue(int cpu, ReadOnlySpan<byte> part)
        {
            _writer.WritePropertyName("value");
            BtfFormatter.Write(_writer, btf, _map.Spec.BtfValueType, part);
        }
    }

    private delegate void CpuValueWriter(int cpu, ReadOnlySpan<byte> value);

    private void WritePerCpu(ReadOnlySpan<byte> values, CpuValueWriter write)
    {
        var stride = values.Length / _map.CpuCount;
        _writer.WriteStartArray("values");
        for (var cpu = 0; cpu < _map.CpuCount; cpu++)
        {
            _writer.WriteStartObject();
            _writer.WriteNumber("cpu", cpu);
            write(cpu, values.Slice(cpu * stride, (int)_map.Spec.ValueSize));
            _writer.WriteEndObject();
        }
        _writer.WriteEndArray();
    }

    private void WriteBytes(string name, ReadOnlySpan<byte> bytes)
    {
        _writer.WriteStartArray(name);
        foreach (var value in bytes)
        {
            _writer.WriteStringValue(Bytes[value]);
            if (_writer.BytesPending > MaxPending)
            {
                _writer.Flush();
            }
        }
        _writer.WriteEndArray();
    }
}
