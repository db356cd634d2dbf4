using System.Text.Json;
using RxStages.Bpf.Runtime;
using RxStages.Cli.Shared;
using RxStages.Engine;
using RxStages.Telemetry;
using Spectre.Console;

namespace RxStages.Cli.Replay;

/// <summary>What a replay came to: as a table for people, as a JSON object for programs.</summary>
internal sealed class ReplaySummary(
    TelemetrySnapshot counts,
    ByteCounts bytes,
    EventLog events,
    string program,
    ReplayOptions options,
    TimeSpan elapsed
)
{
    private static readonly (string Name, XdpAction Action)[] s_verdicts =
    [
        .. Enum.GetValues<XdpAction>().Select(action => (VerdictNames.NameOf((uint)action), action)),
    ];

    private static readonly (string Name, Stage Stage)[] s_stages =
    [
        ("receive", Stage.Receive),
        ("xdp", Stage.Xdp),
        ("split", Stage.Split),
        ("transmit", Stage.Transmit),
        ("redirect", Stage.Redirect),
        ("network stack", Stage.NetworkStack),
        ("observe", Stage.Observe),
        ("recycle", Stage.Recycle),
    ];

    private string Mode => options.Mode == EngineMode.Staged ? "staged" : "per-packet";

    /// <summary>Prints the tables.</summary>
    /// <param name="output">Where to: the standard output or error.</param>
    public void Print(TextWriter output)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        var mode = options.Mode == EngineMode.Staged ? $"staged, vectors of up to {options.VectorSize}" : Mode;
        output.WriteLine(
            $"{program}: {counts.Received:N0} packets, {counts.ReceivedBytes:N0} bytes in {elapsed.TotalMilliseconds:N0} ms ({mode})"
        );
        console.Write(Verdicts());
        console.Write(Fates());
        if (events.Counts.Any())
        {
            console.Write(Events());
        }
        console.Write(Stages());
    }

    /// <summary>Writes the line that ends JSON output: <c>{"summary":{…}}</c>.</summary>
    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("summary");
        writer.WriteString("program", program);
        writer.WriteString("mode", Mode);
        writer.WriteNumber("vector", options.VectorSize);
        writer.WriteNumber("packets", counts.Received);
        writer.WriteNumber("bytes", counts.ReceivedBytes);
        writer.WriteNumber("vectors", counts.Vectors);
        writer.WriteStartObject("verdicts");
        foreach (var (name, action) in s_verdicts)
        {
            writer.WriteNumber(name, counts[action]);
        }
        writer.WriteEndObject();
        writer.WriteStartObject("fates");
        foreach (var fate in Enum.GetValues<Fate>())
        {
            writer.WriteNumber(fate.Name(), counts[fate]);
        }
        writer.WriteEndObject();
        writer.WriteStartArray("events");
        foreach (var (map, read, lost) in events.Counts)
        {
            writer.WriteStartObject();
            writer.WriteString("map", map);
            writer.WriteNumber("events", read);
            writer.WriteNumber("lost", lost);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteStartObject("stageNanoseconds");
        foreach (var (name, stage) in s_stages)
        {
            writer.WriteNumber(name.Replace(' ', '_'), (long)counts.TimeIn(stage).TotalNanoseconds);
        }
        writer.WriteEndObject();
        writer.WriteNumber("nanoseconds", (long)elapsed.TotalNanoseconds);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private Table Verdicts()
    {
        var table = NewTable("verdict", "packets", "share", "bytes");
        foreach (var (name, action) in s_verdicts.Where(verdict => counts[verdict.Action] != 0))
        {
            table.AddRow(name, $"{counts[action]:N0}", Share(counts[action]), $"{bytes[action]:N0}");
        }
        return table;
    }

    private Table Fates()
    {
        var table = NewTable("fate", "packets", "share", "bytes");
        foreach (var fate in Enum.GetValues<Fate>().Where(fate => counts[fate] != 0))
        {
            table.AddRow(fate.Name(), $"{counts[fate]:N0}", Share(counts[fate]), $"{bytes[fate]:N0}");
        }
        return table;
    }

    private Table Events()
    {
        var table = NewTable("map", "events", "lost");
        foreach (var (map, read, lost) in events.Counts)
        {
            table.AddRow(Markup.Escape(map), $"{read:N0}", $"{lost:N0}");
        }
        return table;
    }

    private Table Stages()
    {
        var table = NewTable("stage", "time", "per packet");
        foreach (var (name, stage) in s_stages.Where(stage => counts.TimeIn(stage.Stage) != TimeSpan.Zero))
        {
            var time = counts.TimeIn(stage);
            table.AddRow(
                name,
                $"{time.TotalMilliseconds:N2} ms",
                $"{time.TotalNanoseconds / Math.Max(1, counts.Received):N1} ns"
            );
        }
        return table;
    }

    private string Share(long count) => $"{(double)count / Math.Max(1, counts.Received):P1}";

    private static Table NewTable(params string[] columns)
    {
        var table = new Table { Border = TableBorder.Rounded };
        foreach (var (index, column) in columns.Index())
        {
            table.AddColumn(index == 0 ? new TableColumn(column) : new TableColumn(column).RightAligned());
        }
        return table;
    }
}
