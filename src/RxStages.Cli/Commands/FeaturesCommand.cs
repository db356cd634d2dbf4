using System.CommandLine;
using RxStages.Bpf.Errors;
using RxStages.Cli.Features;
using RxStages.Cli.Shared;

namespace RxStages.Cli.Commands;

/// <summary><c>rxstages features [NAME]</c>: the helpers, kfuncs and map types that programs may use.</summary>
internal static class FeaturesCommand
{
    public static Command Create()
    {
        var name = new Argument<string?>("NAME")
        {
            Description = "Tell all of those whose name contains it; without it, a line for each.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var json = SharedOptions.Json("Print one JSON object.");
        var markdown = new Option<bool>("--markdown") { Description = "Print the page docs/features.md." };
        var command = new Command("features", "Shows the helpers, kfuncs and map types that programs may use.")
        {
            name,
            json,
            markdown,
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(markdown) && (result.GetValue(json) || result.GetValue(name) is not null))
            {
                result.AddError("--markdown goes without NAME and --json.");
            }
        });
        command.SetAction(parsed =>
        {
            var part = parsed.GetValue(name);
            var features = Choose(part);
            if (parsed.GetValue(json))
            {
                JsonOutput.Write(writer => FeatureTable.Write(writer, features));
            }
            else if (parsed.GetValue(markdown))
            {
                FeatureTable.WriteMarkdown(Console.Out, features);
            }
            else
            {
                FeatureTable.Print(Console.Out, features, isDetailed: part is not null);
            }
            return ExitCode.Done;
        });
        return command;
    }

    private static IReadOnlyCollection<Feature> Choose(string? part)
    {
        if (part is null)
        {
            return Feature.All;
        }
        var chosen = Feature
            .All.Where(feature => feature.Name.Contains(part, StringComparison.OrdinalIgnoreCase))
            .ToArray();
        return chosen.Length != 0
            ? chosen
            : throw new InputException(
                "features",
                place: null,
                $"no helper, kfunc or map type '{part}'"
                    + NameSuggestion.Ask(part, Feature.All.Select(feature => feature.Name))
            );
    }
}
