using System.CommandLine;
using System.Text.Json;
using RxStages.Benchmarks;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Programs;
using RxStages.Captures;
using RxStages.Cli.Shared;
using RxStages.Engine;
using RxStages.Linux.Memory;
using RxStages.Ports;
using Spectre.Console;

namespace RxStages.Cli.Commands;

/// <summary><c>rxstages bench FILE[:PROGRAM] --capture CAPTURE</c>: what staging buys a program.</summary>
internal static class BenchCommand
{
    /// <summary>How much of a capture is kept in memory.</summary>
    private const int MaxPackets = 100_000;

    public static Command Create()
    {
        var program = SharedOptions.ProgramArgument();
        var capture = new Option<string>("--capture")
        {
            Description = "The traffic, of which mixes are made: it needs packets that the program passes and others.",
            HelpName = "CAPTURE",
            Required = true,
        };
        var map = SharedOptions.Map();
        var packets = SharedOptions.Number("--packets", "Packets in a round", 8192, 64, 1 << 20);
        var rounds = SharedOptions.Number("--rounds", "Rounds that count; figures are medians over them", 15, 1, 1000);
        var footprint = SharedOptions.Number(
            "--stack-footprint",
            "KiB of machine code that the network stack goes through per packet",
            128,
            1,
            4096
        );
        var cold = new Option<bool>("--cold")
        {
            Description = "Packets lie in memory, not in the cache, when they are received.",
        };
        var noPrefetch = new Option<bool>("--no-prefetch") { Description = "The receive stage does not prefetch." };
        var json = SharedOptions.Json("Print one JSON object.");
        var command = new Command(
            "bench",
            "Measures the XDP stage, staged by vector size and per-packet, with 0, 1, 10 and 50 % of the traffic passing."
        )
        {
            program,
            capture,
            map,
            packets,
            rounds,
            footprint,
            cold,
            noPrefetch,
            json,
        };
        var loading = new LoadingOptions(command);
        command.SetAction(parsed =>
        {
            var reference = ProgramReference.Parse(parsed.GetRequiredValue(program));
            using var loaded = LoadedObject.Load(
                loading.Read(parsed, reference.File),
                new LoadOptions { Maps = new MapOptions { Advice = HugePages.Advice } }
            );
            var measured = loaded.GetProgram(reference.Program);
            MapFiles.Fill([loaded], parsed.GetValue(map) ?? []);
            var source = parsed.GetRequiredValue(capture);
            var options = new StagingBenchmarkOptions
            {
                Packets = parsed.GetValue(packets),
                Rounds = parsed.GetValue(rounds),
                StackFootprint = parsed.GetValue(footprint) << 10,
                Temperature = parsed.GetValue(cold) ? PacketTemperature.Cold : PacketTemperature.Warm,
                Prefetch = !parsed.GetValue(noPrefetch),
            };
            var benchmark = new StagingBenchmark(measured, ReadPackets(source), source, options);
            IReadOnlyList<StagingResult> results;
            using (var progress = new ProgressLine("measuring"))
            {
                results = benchmark.Run(share => progress.Report(share));
            }
            if (parsed.GetValue(json))
            {
                JsonOutput.Write(writer => Write(writer, measured.Name, options, results));
            }
            else
            {
                Print(measured.Name, options, results);
            }
            return ExitCode.Done;
        });
        return command;
    }

    private static List<byte[]> ReadPackets(string path)
    {
        var packets = new List<byte[]>();
        using var reader = CaptureReader.Open(path);
        while (packets.Count < MaxPackets && reader.TryRead(out var packet))
        {
            packets.Add(packet.Data.ToArray());
        }
        return packets;
    }

    private static void Print(string program, StagingBenchmarkOptions options, IReadOnlyList<StagingResult> results)
    {
        Console.Out.WriteLine(
            $"{program}: ns per packet, medians of {options.Rounds} rounds of {options.Packets} packets "
                + $"({(options.Temperature == PacketTemperature.Cold ? "cold" : "warm")}, "
                + $"prefetch {(options.Prefetch ? "on" : "off")}, stack {options.StackFootprint >> 10} KiB); "
                + "in brackets the ratio to per-packet mode"
        );
        AnsiConsole.Write(NewTable("XDP stage", options, results, result => result.XdpNanoseconds.Median));
        AnsiConsole.Write(NewTable("all stages", options, results, result => result.TotalNanoseconds.Median));
    }

    private static Table NewTable(
        string title,
        StagingBenchmarkOptions options,
        IReadOnlyList<StagingResult> results,
        Func<StagingResult, double> figure
    )
    {
        var table = new Table { Border = TableBorder.Rounded };
        table.AddColumn(new TableColumn(title).NoWrap());
        foreach (var percent in options.PassPercents)
        {
            table.AddColumn(new TableColumn($"{percent} % PASS").RightAligned());
        }
        foreach (var row in results.GroupBy(result => (result.Mode, result.VectorSize)))
        {
            var cells = row.Select(result =>
            {
                var baseline = results.First(other =>
                    other.Mode == EngineMode.PerPacket && other.PassPercent == result.PassPercent
                );
                return result == baseline
                    ? $"{figure(result):F1}"
                    : $"{figure(result):F1} ({figure(result) / figure(baseline):F2})";
            });
            var name = row.Key.Mode == EngineMode.PerPacket ? "per-packet" : $"vector {row.Key.VectorSize}";
            table.AddRow([name, .. cells]);
        }
        return table;
    }

    private static void Write(
        Utf8JsonWriter writer,
        string program,
        StagingBenchmarkOptions options,
        IReadOnlyList<StagingResult> results
    )
    {
        writer.WriteStartObject();
        writer.WriteString("program", program);
        writer.WriteNumber("packets", options.Packets);
        writer.WriteNumber("rounds", options.Rounds);
        writer.WriteNumber("stackFootprint", options.StackFootprint);
        writer.WriteBoolean("cold", options.Temperature == PacketTemperature.Cold);
        writer.WriteBoolean("prefetch", options.Prefetch);
        writer.WriteStartArray("results");
        foreach (var result in results)
        {
            writer.WriteStartObject();
            writer.WriteString("mode", result.Mode == EngineMode.Staged ? "staged" : "per-packet");
            writer.WriteNumber("vector", result.VectorSize);
            writer.WriteNumber("passPercent", result.PassPercent);
            writer.WriteNumber("measuredPassPercent", result.MeasuredPassPercent);
            Write(writer, "xdpNanoseconds", result.XdpNanoseconds);
            Write(writer, "totalNanoseconds", result.TotalNanoseconds);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, string name, Spread spread)
    {
        writer.WriteStartObject(name);
        writer.WriteNumber("median", Math.Round(spread.Median, 2));
        writer.WriteNumber("least", Math.Round(spread.Least, 2));
        writer.WriteNumber("most", Math.Round(spread.Most, 2));
        writer.WriteEndObject();
    }
}
