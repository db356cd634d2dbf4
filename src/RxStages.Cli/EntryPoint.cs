using System.CommandLine;
using System.CommandLine.Parsing;
using RxStages.Bpf.Errors;
using RxStages.Cli.Commands;
using RxStages.Cli.Shared;

namespace RxStages.Cli;

/// <summary>The <c>rxstages</c> command: its subcommands, and what becomes of their errors.</summary>
internal static class EntryPoint
{
    private static int Main(string[] arguments)
    {
        var root = new RootCommand(
            "Runs XDP programs in user space, staged: over small packet-vectors, in RX-stages.\n"
                + "Exit codes: 0 done, 1 failed, 2 wrong usage."
        )
        {
            ReplayCommand.Create(),
            InspectCommand.Create(),
            DisasmCommand.Create(),
            VerifyCommand.Create(),
            BenchCommand.Create(),
            ConformanceCommand.Create(),
        };
        var parsed = root.Parse(arguments);
        string[] errors = [.. parsed.Errors.Select(error => error.Message), .. MistypedOptions(parsed)];
        if (errors.Length > 0)
        {
            foreach (var error in errors)
            {
                Console.Error.WriteLine($"rxstages: {error}");
            }
            var command = parsed.CommandResult.Command;
            Console.Error.WriteLine(
                command == root ? "Try 'rxstages --help'." : $"Try 'rxstages {command.Name} --help'."
            );
            return ExitCode.WrongUsage;
        }
        try
        {
            return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (InputException error)
        {
            Console.Error.WriteLine($"rxstages: {error.Message}");
            return ExitCode.Failed;
        }
        catch (UsageException error)
        {
            Console.Error.WriteLine($"rxstages: {error.Message}");
            return ExitCode.WrongUsage;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A reader that went away (a closed pipe) or a file that cannot be written: the message names it.
            Console.Error.WriteLine($"rxstages: {error.Message}");
            return ExitCode.Failed;
        }
        catch (Exception error)
        {
            Console.Error.WriteLine($"rxstages: a bug in rxstages, please report it: {error}");
            return ExitCode.Failed;
        }
    }

    /// <summary>What looks like an option and was taken for a file: nobody means a file of that name.</summary>
    private static IEnumerable<string> MistypedOptions(ParseResult parsed) =>
        parsed
            .Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash)
            .Where(token => token.Type == TokenType.Argument && token.Value is ['-', _, ..])
            .Select(token => $"Unrecognized option '{token.Value}'.");
}
