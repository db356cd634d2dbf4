using System.CommandLine;
using System.Text.Json;
using RxStages.Bpf.Helpers;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Kfuncs;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Cli.Shared;

namespace RxStages.Cli.Commands;

/// <summary><c>rxstages inspect FILE</c>: what an object file holds, without running any of it.</summary>
internal static class InspectCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "The object file." };
        var json = SharedOptions.Json("Print one JSON object.");
        var command = new Command(
            "inspect",
            "Shows what an object file holds: programs, maps, global data, helpers used."
        )
        {
            file,
            json,
        };
        var loading = new LoadingOptions(command);
        command.SetAction(parsed =>
        {
            var spec = loading.Read(parsed, parsed.GetRequiredValue(file));
            var programs = spec
                .Programs.Concat(spec.UntypedPrograms)
                .Concat(spec.Extensions)
                .Select(program => new ProgramSummary(program, spec))
                .ToArray();
            if (parsed.GetValue(json))
            {
                JsonOutput.Write(writer => Write(writer, spec, programs));
            }
            else
            {
                Print(spec, programs);
            }
            return ExitCode.Done;
        });
        return command;
    }

    private static void Print(ObjectSpec spec, ProgramSummary[] programs)
    {
        Console.Out.WriteLine($"{spec.Source}: license {(spec.License.Length == 0 ? "none" : spec.License)}");
        Console.Out.WriteLine($"types: {(spec.Btf is null ? "no BTF" : $"{spec.Btf.Count - 1} in BTF")}");
        foreach (var program in programs)
        {
            Console.Out.WriteLine();
            Console.Out.WriteLine($"program {program.Spec.Name} (section {program.Spec.Section})");
            Console.Out.WriteLine(
                $"  instructions  {program.Spec.Instructions.Length} in {program.Spec.Functions.Length} "
                    + $"{(program.Spec.Functions.Length == 1 ? "function" : "functions")}, CPU v{program.CpuVersion}"
            );
            Console.Out.WriteLine($"  helpers       {List(program.Helpers)}");
            if (program.Kfuncs.Length != 0)
            {
                Console.Out.WriteLine($"  kfuncs        {List(program.Kfuncs)}");
            }
            Console.Out.WriteLine($"  maps          {List(program.Maps)}");
            if (program.Spec.Unsupported is { } reason)
            {
                Console.Out.WriteLine($"  not supported {reason}");
            }
        }
        PrintMaps("maps", spec.Maps.Where(map => !map.IsGlobalData));
        PrintMaps("global data", spec.Maps.Where(map => map.IsGlobalData));
        if (!spec.OtherSections.IsEmpty)
        {
            Console.Out.WriteLine();
            Console.Out.WriteLine($"not for XDP: {List(spec.OtherSections)}");
        }
    }

    private static void PrintMaps(string title, IEnumerable<MapSpec> maps)
    {
        var rows = maps.Select(map =>
                (
                    map.Name,
                    Type: MapDump.TypeName(map.Type),
                    Size: $"key {map.KeySize} B, value {map.ValueSize} B, max_entries {map.MaxEntries}",
                    Flags: map.Flags == MapFlags.None ? "" : $", flags 0x{(uint)map.Flags:x}"
                )
            )
            .ToArray();
        if (rows.Length == 0)
        {
            return;
        }
        Console.Out.WriteLine();
        Console.Out.WriteLine(title);
        var nameWidth = rows.Max(row => row.Name.Length);
        var typeWidth = rows.Max(row => row.Type.Length);
        foreach (var row in rows)
        {
            Console.Out.WriteLine(
                $"  {row.Name.PadRight(nameWidth)}  {row.Type.PadRight(typeWidth)}  {row.Size}{row.Flags}"
            );
        }
    }

    private static string List(IReadOnlyCollection<string> names) =>
        names.Count == 0 ? "none" : string.Join(", ", names);

    private static void Write(Utf8JsonWriter writer, ObjectSpec spec, ProgramSummary[] programs)
    {
        writer.WriteStartObject();
        writer.WriteString("file", spec.Source);
        writer.WriteString("license", spec.License);
        writer.WriteBoolean("btf", spec.Btf is not null);
        writer.WriteStartArray("programs");
        foreach (var program in programs)
        {
            writer.WriteStartObject();
            writer.WriteString("name", program.Spec.Name);
            writer.WriteString("section", program.Spec.Section);
            writer.WriteNumber("instructions", program.Spec.Instructions.Length);
            writer.WriteStartArray("functions");
            foreach (var function in program.Spec.Functions)
            {
                writer.WriteStartObject();
                writer.WriteString("name", function.Name);
                writer.WriteNumber("start", function.Start);
                writer.WriteNumber("length", function.Length);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
            writer.WriteNumber("cpuVersion", program.CpuVersion);
            JsonOutput.WriteStrings(writer, "helpers", program.Helpers);
            JsonOutput.WriteStrings(writer, "kfuncs", program.Kfuncs);
            JsonOutput.WriteStrings(writer, "maps", program.Maps);
            writer.WriteString("unsupported", program.Spec.Unsupported);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteStartArray("maps");
        foreach (var map in spec.Maps)
        {
            writer.WriteStartObject();
            writer.WriteString("name", map.Name);
            writer.WriteString("type", MapDump.TypeName(map.Type));
            writer.WriteNumber("keySize", map.KeySize);
            writer.WriteNumber("valueSize", map.ValueSize);
            writer.WriteNumber("maxEntries", map.MaxEntries);
            writer.WriteNumber("flags", (uint)map.Flags);
            writer.WriteBoolean("globalData", map.IsGlobalData);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        JsonOutput.WriteStrings(writer, "otherSections", spec.OtherSections);
        writer.WriteEndObject();
    }

    /// <summary>What a program uses, read off its instructions.</summary>
    private sealed class ProgramSummary
    {
        public ProgramSummary(ProgramSpec program, ObjectSpec spec)
        {
            Spec = program;
            CpuVersion = Bpf.Isa.CpuVersion.Of(program.Instructions.AsSpan());
            var helpers = new SortedSet<int>();
            var maps = new SortedSet<int>();
            var instructions = program.Instructions;
            for (var slot = 0; slot < instructions.Length; slot += instructions[slot].IsWide ? 2 : 1)
            {
                var instruction = instructions[slot];
                if (instruction.IsHelperCall)
                {
                    helpers.Add(instruction.Immediate);
                }
                else if (
                    instruction.IsWide
                    && instruction.Source is PseudoLoad.MapIndex or PseudoLoad.MapIndexValue
                    && (uint)instruction.Immediate < (uint)spec.Maps.Length
                )
                {
                    maps.Add(instruction.Immediate);
                }
            }
            Helpers =
            [
                .. helpers.Select(id =>
                    HelperTable.Find(id)?.Name ?? $"{HelperNames.Find(id) ?? $"#{id}"} (not supported)"
                ),
            ];
            Kfuncs =
            [
                .. program.Kfuncs.Select(kfunc =>
                    KfuncTable.Find(kfunc.Name) is null ? $"{kfunc.Name} (not supported)" : kfunc.Name
                ),
            ];
            Maps = [.. maps.Select(index => spec.Maps[index].Name)];
        }

        public ProgramSpec Spec { get; }
        public int CpuVersion { get; }
        public string[] Helpers { get; }
        public string[] Kfuncs { get; }
        public string[] Maps { get; }
    }
}
