using System.CommandLine;
using System.Text.Json;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Programs;
using RxStages.Bpf.Verification;
using RxStages.Cli.Shared;

namespace RxStages.Cli.Commands;

/// <summary><c>rxstages verify FILE[:PROGRAM]</c>: accepts, or explains. Exit code 1 if any program is rejected.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var program = SharedOptions.ProgramArgument();
        var json = SharedOptions.Json("Print one JSON object per program.");
        var command = new Command("verify", "Verifies a program, or all of a file: accepts it, or explains why not.")
        {
            program,
            json,
        };
        var loading = new LoadingOptions(command);
        command.SetAction(parsed =>
        {
            var reference = ProgramReference.Parse(parsed.GetRequiredValue(program));
            var spec = loading.Read(parsed, reference.File);
            IEnumerable<ProgramSpec> chosen =
                reference.Program is null && !spec.Programs.IsEmpty
                    ? spec.Programs
                    : [spec.FindProgram(reference.Program)];
            var results = chosen.Select(each => Verify(spec, each)).ToArray();
            foreach (var result in results)
            {
                if (parsed.GetValue(json))
                {
                    JsonOutput.Write(writer => Write(writer, result));
                }
                else
                {
                    Print(spec, result);
                }
            }
            return results.All(result => result.Verified is not null) ? ExitCode.Done : ExitCode.Failed;
        });
        return command;
    }

    private static ProgramOutcome Verify(ObjectSpec spec, ProgramSpec program)
    {
        try
        {
            return new ProgramOutcome(program, LoadedObject.Verify(spec, program), null);
        }
        catch (InputException error)
        {
            return new ProgramOutcome(program, null, error);
        }
    }

    private static void Print(ObjectSpec spec, ProgramOutcome result)
    {
        if (result.Verified is { Statistics: var cost })
        {
            Console.Out.WriteLine(
                $"{result.Program.Name}: accepted, {result.Program.Instructions.Length} instructions, "
                    + $"{cost.InstructionsVisited} visited, {cost.PeakStates} states at the peak "
                    + $"of {cost.TotalStates}, {cost.Time.TotalMilliseconds:F1} ms"
            );
        }
        else if (result.Error is VerificationException)
        {
            Console.Out.WriteLine($"{result.Program.Name}: rejected");
            Console.Error.WriteLine($"rxstages: {spec.Source}: {result.Error.Message}");
        }
        else
        {
            Console.Out.WriteLine($"{result.Program.Name}: not verified");
            Console.Error.WriteLine($"rxstages: {result.Error!.Message}");
        }
    }

    private static void Write(Utf8JsonWriter writer, ProgramOutcome result)
    {
        writer.WriteStartObject();
        writer.WriteString("program", result.Program.Name);
        writer.WriteBoolean("accepted", result.Verified is not null);
        writer.WriteNumber("instructions", result.Program.Instructions.Length);
        if (result.Verified is { Statistics: var cost })
        {
            writer.WriteNumber("visited", cost.InstructionsVisited);
            writer.WriteNumber("peakStates", cost.PeakStates);
            writer.WriteNumber("totalStates", cost.TotalStates);
            writer.WriteNumber("nanoseconds", (long)cost.Time.TotalNanoseconds);
        }
        if (result.Error is VerificationException rejected)
        {
            writer.WriteNumber("slot", rejected.Slot);
            writer.WriteString("instruction", rejected.Instruction);
            writer.WriteString("problem", rejected.Problem);
            writer.WriteString("hint", rejected.Hint);
            if (rejected.Line is { } line)
            {
                writer.WriteStartObject("source");
                writer.WriteString("file", line.File);
                writer.WriteNumber("line", line.Line);
                writer.WriteNumber("column", line.Column);
                writer.WriteString("text", line.Text);
                writer.WriteEndObject();
            }
        }
        else if (result.Error is { } error)
        {
            writer.WriteString("problem", error.Reason);
        }
        writer.WriteEndObject();
    }

    /// <summary>What became of one program: one of the two last is null.</summary>
    private sealed record ProgramOutcome(ProgramSpec Program, VerifiedProgram? Verified, InputException? Error);
}
