using System.CommandLine;
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
        var program = new Option<string>("--program", "-p")
        {
            Description = "The object file, and which of its programs.",
            HelpName = "FILE[:NAME]",
            Required = true,
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
            var reference = ProgramReference.Parse(parsed.GetRequiredValue(program));
            using var run = new ReplayRun(
                new ReplayOptions
                {
                    Captures = parsed.GetRequiredValue(captures),
                    Object = loading.Read(parsed, reference.File),
                    Program = reference.Program,
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
                    Trace = parsed.GetValue(trace),
                    Json = parsed.GetValue(json),
                    Data = parsed.GetValue(data),
                }
            );
            return run.Run();
        });
        return command;
    }

    private static Option<string> Output(string name, string description) =>
        new(name)
        {
            Description = description + " pcap if the name ends with .pcap, else pcapng; - is the standard output.",
            HelpName = "FILE",
        };
}
