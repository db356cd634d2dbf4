using System.Text.Encodings.Web;
using System.Text.Json;

namespace RxStages.Cli.Shared;

/// <summary>JSON on the standard output: one value, one line.</summary>
internal static class JsonOutput
{
    /// <summary>How all JSON is written: compact, names and messages as they are.</summary>
    public static JsonWriterOptions Options { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes one value and a line break.</summary>
    public static void Write(Action<Utf8JsonWriter> write)
    {
        using var output = StandardOutput.Open();
        using (var writer = new Utf8JsonWriter(output, Options))
        {
            write(writer);
        }
        output.Write("\n"u8);
    }

    /// <summary>Writes an array of strings as a property.</summary>
    public static void WriteStrings(Utf8JsonWriter writer, string name, IEnumerable<string> values)
    {
        writer.WriteStartArray(name);
        foreach (var value in values)
        {
            writer.WriteStringValue(value);
        }
        writer.WriteEndArray();
    }
}
