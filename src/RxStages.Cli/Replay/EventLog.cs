using System.Text.Json;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Maps;
using RxStages.Cli.Shared;

namespace RxStages.Cli.Replay;

/// <summary>
/// Reads what programs tell through ring buffers and perf event arrays, as a process beside them would: after every vector, so
/// that buffers fill up only where one vector fills them. Writes one JSON object per event and line, as docs/replay-output.md has it.
/// </summary>
internal sealed class EventLog : IDisposable
{
    private readonly EventSource[] _sources;
    private readonly string? _path;
    private readonly BufferedStream? _output;
    private readonly Utf8JsonWriter? _writer;

    /// <summary>Becomes the reader of all such maps.</summary>
    /// <param name="maps">The object's maps.</param>
    /// <param name="path">The file to write; null: events are read and counted only.</param>
    /// <exception cref="InputException">The file cannot be written.</exception>
    public EventLog(IEnumerable<Map> maps, string? path)
    {
        _path = path;
        _sources = [.. maps.Where(map => map is RingbufMap or PerfEventArrayMap).Select(map => new EventSource(map))];
        foreach (var perf in _sources.Select(source => source.Map).OfType<PerfEventArrayMap>())
        {
            perf.OpenAll();
        }
        if (path is not null)
        {
            _output = new BufferedStream(Open(path));
            _writer = new Utf8JsonWriter(_output, JsonOutput.Options);
        }
    }

    /// <summary>Events read so far, by map; those of maps that programs told nothing through too.</summary>
    public IEnumerable<(string Map, long Events, ulong Lost)> Counts =>
        _sources.Select(source => (source.Map.Spec.Name, source.Events, source.Lost));

    /// <summary>Reads what there is.</summary>
    /// <exception cref="InputException">The file cannot be written.</exception>
    public void Read()
    {
        foreach (var source in _sources)
        {
            switch (source.Map)
            {
                case RingbufMap ring:
                    ring.Consume(record => Take(source, null, record, 0));
                    break;
                case PerfEventArrayMap perf:
                    perf.Consume((index, data, lost) => Take(source, index, data, lost));
                    break;
            }
        }
    }

    /// <summary>Writes out what is buffered.</summary>
    /// <exception cref="InputException">The file cannot be written.</exception>
    public void Flush() => Attempt(() => _output?.Flush());

    /// <inheritdoc/>
    public void Dispose()
    {
        _writer?.Dispose();
        _output?.Dispose();
    }

    private void Take(EventSource source, uint? cpu, ReadOnlySpan<byte> data, ulong lost)
    {
        source.Events++;
        source.Lost += lost;
        if (_writer is null)
        {
            return;
        }
        _writer.WriteStartObject();
        _writer.WriteString("map"u8, source.Map.Spec.Name);
        if (cpu is { } number)
        {
            _writer.WriteNumber("cpu"u8, number);
            _writer.WriteNumber("lost"u8, lost);
        }
        _writer.WriteString("data"u8, Convert.ToHexStringLower(data));
        _writer.WriteEndObject();
        Attempt(() =>
        {
            _writer.Flush();
            _writer.Reset();
            _output!.WriteByte((byte)'\n');
        });
    }

    private static Stream Open(string path)
    {
        try
        {
            return path == "-" ? StandardOutput.Open() : File.Create(path);
        }
        catch (Exception error) when (FileErrors.IsFileError(error))
        {
            throw FileErrors.Describe(path, "cannot be written", error);
        }
    }

    private void Attempt(Action write)
    {
        try
        {
            write();
        }
        catch (Exception error) when (_path != "-" && FileErrors.IsFileError(error))
        {
            throw FileErrors.Describe(_path!, "cannot be written", error);
        }
    }

    private sealed class EventSource(Map map)
    {
        public Map Map { get; } = map;
        public long Events { get; set; }
        public ulong Lost { get; set; }
    }
}
