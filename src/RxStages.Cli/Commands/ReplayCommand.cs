using System.CommandLine;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Programs;
using RxStages.Cli.Replay;
using RxStages.Cli.Shared;
using RxStages.Engine;
using RxStages.Packets;

namespace RxStages.Cli.Commands;

/// <summary><c>rxstages replay CAPTURE... --program FILE[:NAME]</c>: the main job.</summary>
internal static class ReplayCommand
{
    public static Command Create()
    {
        var captures = new Argument<string[]>("CAPTURE")
        {
            Description = "Capture files, pcap or pcapng, also gzipped; - is the standard input.",
            Arity = ArgumentArity.OneOrMore,
        };
        var program = new Option<string[]>("--program", "-p")
        {
            Description =
                "The object file, and which of its programs. Several run in a chain, as with libxdp's dispatcher: in order of their priorities, each while the one before passes the packet on.",
            HelpName = "FILE[:NAME]",
            Required = true,
            Arity = ArgumentArity.OneOrMore,
        };
        var runConfig = new Option<string[]>("--run-config")
        {
            Description =
                "A program's priority in the chain, lowest first, and the verdicts after which the next one runs; in place of the object's XDP_RUN_CONFIG (or 50,XDP_PASS).",
            HelpName = "NAME=PRIORITY[,VERDICT...]",
            Arity = ArgumentArity.OneOrMore,
        };
        var replace = new Option<string[]>("--replace")
        {
            Description =
                "Replace a global function of the programs by a program of another object (SEC(\"freplace/...\")). May be repeated.",
            HelpName = "[FUNCTION=]FILE[:NAME]",
            Arity = ArgumentArity.OneOrMore,
        };
        var pin = new Option<string>("--pin")
        {
            Description = "Where maps that are pinned by name live on from run to run.",
            HelpName = "DIRECTORY",
        };
        var vector = SharedOptions.Number(
            "--vector",
            "Packets in a vector at the most",
            16,
            1,
            PacketVector.MaxCapacity
        );
        var mode = SharedOptions.Choice(
            "--mode",
            "How packets go through the stages: a vector together, or one after the other.",
            "staged",
            "per-packet"
        );
        var interpreter = SharedOptions.Interpreter();
        var repeat = SharedOptions.Number("--repeat", "Replay the captures so often", 1, 1, int.MaxValue);
        var write = Output("--write", "Write all packets, with verdict and fate, in the order of the input.");
        var writePass = Output("--write-pass", "Write the packets that went to the network stack.");
        var writeTx = Output("--write-tx", "Write the packets that were transmitted.");
        var writeRedirect = Output("--write-redirect", "Write the packets that were redirected.");
        var writeDrop = Output("--write-drop", "Write the packets that were dropped, aborted ones among them.");
        var map = SharedOptions.Map();
        var events = new Option<string>("--events")
        {
            Description =
                "Write what the program tells through ring buffers and perf event arrays, a JSON object per line.",
            HelpName = "FILE",
        };
        var dumpMaps = new Option<string>("--dump-maps")
        {
            Description = "Write the contents of all maps after the run, as bpftool does.",
            HelpName = "FILE.json",
        };
        var ifindex = SharedOptions.Number("--ifindex", "The interface that programs see", 1, 1, int.MaxValue);
        var queue = SharedOptions.Number("--queue", "The receive queue that programs see", 0, 0, 65535);
        var cpu = SharedOptions.Number(
            "--cpu",
            "The CPU that programs see, and their slot in per-CPU maps",
            0,
            0,
            1023
        );
        var seed = SharedOptions.Number(
            "--seed",
            "Where the sequence of bpf_get_prandom_u32 begins",
            1,
            1,
            int.MaxValue
        );
        var time = new Option<ReplayTime>("--time")
        {
            Description =
                "The clock that programs see: the machine's, each packet's timestamp, or one that stands still [default: real]",
            HelpName = ReplayTime.Form,
            CustomParser = result =>
            {
                if (ReplayTime.Parse(result.Tokens[0].Value) is { } parsed)
                {
                    return parsed;
                }
                result.AddError($"--time {result.Tokens[0].Value}: it takes real, packets, or a number of nanoseconds");
                return default;
            },
        };
        var routes = new Option<string>("--routes")
        {
            Description =
                "Interfaces, routes and neighbours for bpf_fib_lookup and bpf_check_mtu, as 'ip addr', 'ip route show table all' and 'ip neigh' print them.",
            HelpName = "FILE",
        };
        var sockets = new Option<string>("--sockets")
        {
            Description = "The host's sockets for bpf_sk_lookup_tcp and its kin, as 'ss -tunae' prints them.",
            HelpName = "FILE",
        };
        var trace = new Option<bool>("--trace")
        {
            Description = "Print the lines of bpf_trace_printk to the standard error.",
        };
        var json = SharedOptions.Json("Print one JSON object per packet, in input order, then a summary.");
        var data = new Option<bool>("--data")
        {
            Description = "With --json: the packet after the program, in hexadecimal.",
        };
        var command = new Command(
            "replay",
            "Runs the packets of captures through the stages and shows what became of each."
        )
        {
            captures,
            program,
            runConfig,
            replace,
            pin,
            vector,
            mode,
            interpreter,
            repeat,
            write,
            writePass,
            writeTx,
            writeRedirect,
            writeDrop,
            map,
            events,
            dumpMaps,
            ifindex,
            queue,
            cpu,
            seed,
            time,
            routes,
            sockets,
            trace,
            json,
            data,
        };
        var loading = new LoadingOptions(command);
        command.Validators.Add(result =>
        {
            if (result.GetValue(data) && !result.GetValue(json))
            {
                result.AddError("--data goes with --json.");
            }
        });
        command.SetAction(parsed =>
        {
            ProgramReference[] programs = [.. parsed.GetRequiredValue(program).Select(ProgramReference.Parse)];
            using var run = new ReplayRun(
                new ReplayOptions
                {
                    Captures = parsed.GetRequiredValue(captures),
                    Programs = programs,
                    Objects = loading.Read(parsed, programs.Select(each => each.File).Distinct(StringComparer.Ordinal)),
                    RunConfigs = [.. (parsed.GetValue(runConfig) ?? []).Select(NamedRunConfig.Parse)],
                    Replacements =
                    [
                        .. (parsed.GetValue(replace) ?? []).Select(each => Replacement(parsed, loading, each)),
                    ],
                    PinDirectory = parsed.GetValue(pin),
                    VectorSize = parsed.GetValue(vector),
                    Mode = parsed.GetValue(mode) == "staged" ? EngineMode.Staged : EngineMode.PerPacket,
                    Engine = parsed.GetValue(interpreter) ? ExecutionEngine.Interpreter : ExecutionEngine.Compiler,
                    Repeat = parsed.GetValue(repeat),
                    Write = parsed.GetValue(write),
                    WritePass = parsed.GetValue(writePass),
                    WriteTx = parsed.GetValue(writeTx),
                    WriteRedirect = parsed.GetValue(writeRedirect),
                    WriteDrop = parsed.GetValue(writeDrop),
                    Maps = parsed.GetValue(map) ?? [],
                    Events = parsed.GetValue(events),
                    DumpMaps = parsed.GetValue(dumpMaps),
                    Ifindex = (uint)parsed.GetValue(ifindex),
                    Queue = (uint)parsed.GetValue(queue),
                    Cpu = parsed.GetValue(cpu),
                    Seed = (ulong)parsed.GetValue(seed),
                    Time = parsed.GetValue(time),
                    Routes = parsed.GetValue(routes),
                    Sockets = parsed.GetValue(sockets),
                    Trace = parsed.GetValue(trace),
                    Json = parsed.GetValue(json),
                    Data = parsed.GetValue(data),
                }
            );
            return run.Run();
        });
        return command;
    }

    private static (string?, ProgramReference, ObjectSpec) Replacement(
        ParseResult parsed,
        LoadingOptions loading,
        string text
    )
    {
        var (function, file) = text.Split('=', 2) is [var name, var rest] ? (name, rest) : (null, text);
        var reference = ProgramReference.Parse(file);
        return (function, reference, loading.Read(parsed, reference.File));
    }

    private static Option<string> Output(string name, string description) =>
        new(name)
        {
            Description = description + " pcap if the name ends with .pcap, else pcapng; - is the standard output.",
            HelpName = "FILE",
        };
}
