using System.Collections.Frozen;
using System.IO.Compression;
using RxStages.Bpf.Errors;

namespace RxStages.Bpf.Objects;

/// <summary>
/// The configuration that a kernel was built with: lines <c>CONFIG_NAME=value</c>, as in <c>/proc/config.gz</c>,
/// <c>/boot/config-RELEASE</c> or <c>.config</c>. Values keep the form of the file: <c>y</c>, <c>m</c>, a number, a
/// string in quotes.
/// </summary>
public sealed class KernelConfig
{
    // That of a distribution's kernel has 300 KB.
    private const int MaxSize = 4 << 20;

    private readonly FrozenDictionary<string, string> _values;

    private KernelConfig(Dictionary<string, string> values) =>
        _values = values.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Reads a configuration, compressed by gzip or not.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InputException">It cannot be read, or is too large.</exception>
    public static KernelConfig Read(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            Span<byte> magic = stackalloc byte[2];
            var isCompressed = file.ReadAtLeast(magic, 2, throwOnEndOfStream: false) == 2 && magic is [0x1f, 0x8b];
            file.Position = 0;
            using var content = isCompressed ? (Stream)new GZipStream(file, CompressionMode.Decompress) : file;
            return Parse(ReadText(content, path));
        }
        catch (Exception error) when (FileErrors.IsFileError(error) || error is InvalidDataException)
        {
            throw FileErrors.Describe(path, "cannot be read", error);
        }
    }

    /// <summary>Reads a configuration's text; the first value of a name counts.</summary>
    public static KernelConfig Parse(string text)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            var separator = line.IndexOf('=');
            if (separator > 0 && line.StartsWith("CONFIG_", StringComparison.Ordinal))
            {
                values.TryAdd(line[..separator].ToString(), line[(separator + 1)..].ToString());
            }
        }
        return new KernelConfig(values);
    }

    /// <summary>The value of an option by its whole name (<c>CONFIG_HZ</c>), or null where it is not set.</summary>
    public string? Find(string name) => _values.GetValueOrDefault(name);

    private static string ReadText(Stream content, string path)
    {
        using var text = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (int count; (count = content.Read(buffer)) > 0; )
        {
            text.Write(buffer, 0, count);
            if (text.Length > MaxSize)
            {
                throw new InputException(path, place: null, $"larger than {MaxSize} bytes");
            }
        }
        return System.Text.Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length);
    }
}
