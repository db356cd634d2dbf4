using System.CommandLine;
using System.CommandLine.Parsing;
using RxStages.Bpf.Errors;
using RxStages.Cli.Commands;
using RxStages.Cli.Shared;

namespace RxStages.Cli;

/// <summary>The <c>rxstages</c> command: its subcommands, and what becomes of their errors.</summary>
internal static class RxStagesCommand
{
    private static int Main(string[] arguments)
    {
        var root = new RootCommand(
            "Runs XDP programs in user space, staged: over small packet-vectors, in RX-stages.\n"
                + "Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted."
        )
        {
            ReplayCommand.Create(),
            InspectCommand.Create(),
            DisasmCommand.Create(),
            VerifyCommand.Create(),
            FeaturesCommand.Create(),
            BenchCommand.Create(),
            ConformanceCommand.Create(),
        };
        StandardOutput.Redirect();
        var parsed = root.Parse(arguments);
        if (WhatIsWrong(parsed) is { } wrong)
        {
            var command = parsed.CommandResult.Command;
            var help = command == root ? "rxstages --help" : $"rxstages {command.Name} --help";
            Console.Error.WriteLine($"rxstages: {wrong.TrimEnd('.')} (see '{help}')");
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
        catch (IOException error) when (StandardOutput.IsClosedByReader(error))
        {
            return ExitCode.OutputClosed;
        }
        catch (IOException error)
        {
            // Files name themselves; what is left is the standard output.
            Console.Error.WriteLine($"rxstages: standard output: {error.Message}");
            return ExitCode.Failed;
        }
        catch (Exception error)
        {
            Console.Error.WriteLine($"rxstages: a bug in rxstages, please report it: {error}");
            return ExitCode.Failed;
        }
    }

    /// <summary>The first thing that is wrong with the command line, in one line; null if nothing is.</summary>
    private static string? WhatIsWrong(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        if (command is RootCommand && parsed.UnmatchedTokens is [var name, ..])
        {
            return $"there is no command '{name}'"
                + NameSuggestion.Ask(name, command.Subcommands.Select(each => each.Name));
        }
        // What looks like an option and was taken for a file: nobody means a file of that name.
        var mistyped = parsed
            .Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash)
            .FirstOrDefault(token => token.Type == TokenType.Argument && token.Value is ['-', _, ..]);
        if (mistyped is { Value: var option } && !IsValue(parsed, option))
        {
            var known = command.Options.Where(each => !each.Hidden).Select(each => each.Name);
            return $"there is no option '{option}'" + NameSuggestion.Ask(option.Split('=')[0], known);
        }
        return parsed.Errors.Count == 0
            ? null
            : string.Join(' ', parsed.Errors[0].Message.Split((char[])['\n', '\r', '\t']));
    }

    /// <summary>True for a text that an option takes, such as a number below 0: the option says what is wrong with it.</summary>
    private static bool IsValue(ParseResult parsed, string text) =>
        parsed
            .CommandResult.Children.OfType<OptionResult>()
            .Any(option => option.Tokens.Any(token => token.Value == text));
}
