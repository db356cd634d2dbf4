using System.CommandLine;
using System.Globalization;
using RxStages.Bpf.Errors;

namespace RxStages.Cli.Shared;

/// <summary>Options and arguments that several subcommands have.</summary>
internal static class SharedOptions
{
    /// <summary><c>--json</c></summary>
    public static Option<bool> Json(string description) => new("--json") { Description = description };

    /// <summary><c>--interpreter</c></summary>
    public static Option<bool> Interpreter() =>
        new("--interpreter")
        {
            Description = "Run the program in the interpreter, which checks every access, instead of compiling it.",
        };

    /// <summary><c>FILE[:PROGRAM]</c> as an argument.</summary>
    public static Argument<string> ProgramArgument() =>
        new("FILE[:PROGRAM]") { Description = "The object file, and which of its programs." };

    /// <summary><c>--map NAME=FILE.json</c></summary>
    public static Option<string[]> Map() =>
        new("--map")
        {
            Description =
                "Contents of a map before the run, in the form of --dump-maps or 'bpftool map dump --json'. May be repeated.",
            HelpName = "NAME=FILE.json",
            Arity = ArgumentArity.OneOrMore,
        };

    /// <summary>An option that takes a whole number from a range.</summary>
    public static Option<int> Number(string name, string description, int byDefault, int least, int most)
    {
        var option = new Option<int>(name)
        {
            Description = $"{description} ({least} to {most})",
            HelpName = "N",
            DefaultValueFactory = _ => byDefault,
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                if (
                    int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
                    && value >= least
                    && value <= most
                )
                {
                    return value;
                }
                result.AddError($"{name} {text}: it takes a whole number from {least} to {most}");
                return byDefault;
            },
        };
        return option;
    }

    /// <summary>An option that takes one of several words, the first by default.</summary>
    public static Option<string> Choice(string name, string description, params string[] words) =>
        new(name)
        {
            Description = description,
            HelpName = string.Join('|', words),
            DefaultValueFactory = _ => words[0],
            CustomParser = result =>
            {
                var text = result.Tokens[0].Value;
                if (!words.Contains(text, StringComparer.Ordinal))
                {
                    result.AddError(
                        $"{name} {text}: it takes {string.Join(" or ", words)}{NameSuggestion.Ask(text, words)}"
                    );
                }
                return text;
            },
        };
}
