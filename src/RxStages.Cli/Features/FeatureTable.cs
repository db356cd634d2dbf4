using System.Text.Json;
using RxStages.Cli.Shared;

namespace RxStages.Cli.Features;

/// <summary>The table of features as text, as JSON, and as the page that the documentation has of it.</summary>
internal static class FeatureTable
{
    private static readonly (FeatureKind Kind, string Title, string JsonName)[] Sections =
    [
        (FeatureKind.Helper, "helpers", "helpers"),
        (FeatureKind.RefusedHelper, "refused helpers", "refusedHelpers"),
        (FeatureKind.Kfunc, "kfuncs", "kfuncs"),
        (FeatureKind.Map, "map types", "maps"),
    ];

    /// <summary>A line for each feature, or all that is known of each.</summary>
    public static void Print(TextWriter output, IReadOnlyCollection<Feature> features, bool isDetailed)
    {
        foreach (var (kind, title, _) in Sections)
        {
            var rows = features.Where(feature => feature.Kind == kind).ToArray();
            if (rows.Length == 0)
            {
                continue;
            }
            output.WriteLine($"{title} ({rows.Length})");
            var width = rows.Max(row => row.Name.Length);
            foreach (var row in rows)
            {
                if (isDetailed)
                {
                    PrintDetails(output, row);
                }
                else
                {
                    output.WriteLine($"  {row.Number, 3}  {row.Name.PadRight(width)}  {FirstSentence(row.Doc)}");
                }
            }
            output.WriteLine();
        }
    }

    /// <summary>One object: an array for each section.</summary>
    public static void Write(Utf8JsonWriter writer, IReadOnlyCollection<Feature> features)
    {
        writer.WriteStartObject();
        foreach (var (kind, _, name) in Sections)
        {
            writer.WriteStartArray(name);
            foreach (var feature in features.Where(feature => feature.Kind == kind))
            {
                Write(writer, feature);
            }
            writer.WriteEndArray();
        }
        writer.WriteEndObject();
    }

    /// <summary>The page <c>docs/features.md</c>.</summary>
    public static void WriteMarkdown(TextWriter output, IReadOnlyCollection<Feature> features)
    {
        output.WriteLine("# Features");
        output.WriteLine();
        output.WriteLine(
            "Made by `rxstages features --markdown` from the tables that verifier, compiler and interpreter use; do not edit it."
        );
        output.WriteLine(
            "What is not here is refused with an error that names it. `rxstages features NAME` tells more of one."
        );
        foreach (var (kind, title, _) in Sections)
        {
            var rows = features.Where(feature => feature.Kind == kind).ToArray();
            output.WriteLine();
            output.WriteLine($"## {char.ToUpperInvariant(title[0])}{title[1..]}");
            output.WriteLine();
            WriteRow(output, HeaderOf(kind));
            output.WriteLine($"|{string.Concat(HeaderOf(kind).Select(_ => "---|"))}");
            foreach (var row in rows)
            {
                WriteRow(output, CellsOf(row));
            }
        }
    }

    private static string[] HeaderOf(FeatureKind kind) =>
        kind switch
        {
            FeatureKind.RefusedHelper => ["number", "name", "why"],
            FeatureKind.Kfunc => ["name", "what it does", "what differs from the kernel", "kernel source"],
            _ => ["number", "name", "what it does", "what differs from the kernel", "kernel source"],
        };

    private static string[] CellsOf(Feature row) =>
        row.Kind switch
        {
            FeatureKind.RefusedHelper => [$"{row.Number}", $"`{row.Name}`", row.Doc],
            FeatureKind.Kfunc => [$"`{row.Name}`", row.Doc, row.Difference ?? "", row.KernelSource ?? ""],
            _ => [$"{row.Number}", $"`{row.Name}`", row.Doc, row.Difference ?? "", row.KernelSource ?? ""],
        };

    private static void WriteRow(TextWriter output, string[] cells) =>
        output.WriteLine(
            $"| {string.Join(" | ", cells.Select(cell => cell.Replace("|", "\\|", StringComparison.Ordinal)))} |"
        );

    private static void PrintDetails(TextWriter output, Feature feature)
    {
        output.WriteLine($"  {feature.Name}{(feature.Number is { } number ? $" ({number})" : "")}");
        if (feature.Kind == FeatureKind.RefusedHelper)
        {
            output.WriteLine($"    refused        {feature.Doc}");
            return;
        }
        output.WriteLine($"    {feature.Doc}");
        if (feature.Kind == FeatureKind.Map)
        {
            output.WriteLine(
                $"    helpers        {(feature.Helpers.Count == 0 ? "none: XDP programs may only declare it" : string.Join(", ", feature.Helpers))}"
            );
        }
        else
        {
            output.WriteLine(
                $"    takes          {(feature.Arguments.Count == 0 ? "nothing" : string.Join(", ", feature.Arguments))}"
            );
            output.WriteLine($"    returns        {feature.Returns}");
            if (feature.IsGplOnly)
            {
                output.WriteLine("    license        GPL-compatible only");
            }
        }
        if (feature.Difference is { } difference)
        {
            output.WriteLine($"    differs        {difference}");
        }
        output.WriteLine($"    kernel source  {feature.KernelSource}");
    }

    private static void Write(Utf8JsonWriter writer, Feature feature)
    {
        writer.WriteStartObject();
        if (feature.Number is { } number)
        {
            writer.WriteNumber("number", number);
        }
        writer.WriteString("name", feature.Name);
        writer.WriteString("doc", feature.Doc);
        if (feature.Kind == FeatureKind.RefusedHelper)
        {
            writer.WriteEndObject();
            return;
        }
        writer.WriteString("difference", feature.Difference);
        writer.WriteString("kernelSource", feature.KernelSource);
        if (feature.Kind == FeatureKind.Map)
        {
            JsonOutput.WriteStrings(writer, "helpers", feature.Helpers);
        }
        else
        {
            JsonOutput.WriteStrings(writer, "arguments", feature.Arguments);
            writer.WriteString("returns", feature.Returns);
            writer.WriteBoolean("gplOnly", feature.IsGplOnly);
        }
        writer.WriteEndObject();
    }

    private static string FirstSentence(string text) =>
        text.IndexOf(". ", StringComparison.Ordinal) is > 0 and var end ? text[..(end + 1)] : text;
}
