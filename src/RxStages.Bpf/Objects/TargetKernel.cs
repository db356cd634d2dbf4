using System.Collections.Frozen;
using System.Globalization;
using RxStages.Bpf.Errors;

namespace RxStages.Bpf.Objects;

/// <summary>
/// The kernel that an object's programs are fitted to: its types (for CO-RE relocations), its version and configuration
/// (for <c>__kconfig</c> externs) and its symbols (for <c>__ksym</c> externs). Each is read when an object first asks for it.
/// </summary>
public sealed class TargetKernel
{
    // The kernel whose semantics this project has, where no other is known.
    private const uint DefaultVersion = (6 << 16) | (18 << 8);
    private const string RunningTypes = "/sys/kernel/btf/vmlinux";
    private const string RunningRelease = "/proc/sys/kernel/osrelease";
    private const string RunningSymbols = "/proc/kallsyms";

    private readonly Lazy<Btf?> _types;
    private readonly Lazy<KernelConfig?> _config;
    private readonly Lazy<string?> _release;
    private readonly Lazy<FrozenDictionary<string, ulong>?> _symbols;

    private TargetKernel(
        Func<Btf?> types,
        Func<KernelConfig?> config,
        Func<string?> release,
        Func<FrozenDictionary<string, ulong>?> symbols
    )
    {
        _types = new(types);
        _config = new(config);
        _release = new(release);
        _symbols = new(symbols);
    }

    /// <summary>No kernel: programs are fitted to their own types, and no option is set.</summary>
    public static TargetKernel None { get; } = new(() => null, () => null, () => null, () => null);

    /// <summary>The kernel that runs here; where that is no Linux, or it hides something, that is as in <see cref="None"/>.</summary>
    public static TargetKernel Running { get; } = Create(null, null);

    /// <summary>Its types, or null where they are not known.</summary>
    /// <exception cref="InputException">The file that was given is broken.</exception>
    public Btf? Types => _types.Value;

    /// <summary>The options that it was built with, or null where they are not known.</summary>
    /// <exception cref="InputException">The file that was given is broken.</exception>
    public KernelConfig? Config => _config.Value;

    /// <summary>Its version as <c>KERNEL_VERSION</c> has it (major, minor, patch: 16, 8 and 8 bits); 6.18.0 where it is not known.</summary>
    public uint Version => ParseRelease(_release.Value) ?? DefaultVersion;

    /// <summary>A kernel that is described by files.</summary>
    /// <param name="btf">Its BTF, raw or in an ELF file's <c>.BTF</c>; null: the running kernel's.</param>
    /// <param name="config">Its configuration; null: the running kernel's.</param>
    public static TargetKernel Create(string? btf, string? config) =>
        new(
            btf is null ? ReadRunningTypes : () => BtfFile.Read(btf),
            config is null ? ReadRunningConfig : () => KernelConfig.Read(config),
            ReadRelease,
            ReadSymbols
        );

    /// <summary>A kernel of which these things are known.</summary>
    public static TargetKernel Of(Btf? types, KernelConfig? config) =>
        new(() => types, () => config, () => null, () => null);

    /// <summary>The address of a symbol, or null where there is none of that name or its addresses are not known.</summary>
    public ulong? AddressOf(string symbol) =>
        _symbols.Value is { } symbols && symbols.TryGetValue(symbol, out var address) ? address : null;

    private static Btf? ReadRunningTypes() => Attempt(RunningTypes, BtfFile.Read);

    private static KernelConfig? ReadRunningConfig() =>
        Attempt("/proc/config.gz", KernelConfig.Read)
        ?? (ReadRelease() is { } release ? Attempt($"/boot/config-{release}", KernelConfig.Read) : null);

    private static string? ReadRelease() => Attempt(RunningRelease, path => File.ReadAllText(path).Trim());

    /// <summary>The addresses of kernel symbols; null where the kernel shows only zeros, as to users without privileges.</summary>
    private static FrozenDictionary<string, ulong>? ReadSymbols() =>
        Attempt(
            RunningSymbols,
            path =>
            {
                var symbols = new Dictionary<string, ulong>(StringComparer.Ordinal);
                foreach (var line in File.ReadLines(path))
                {
                    // "ffffffff81000000 T _stext", with a module's name behind for those of modules.
                    if (
                        line.Split([' ', '\t'], 4) is [var digits, _, var name, ..]
                        && ulong.TryParse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var address)
                        && address != 0
                    )
                    {
                        symbols.TryAdd(name, address);
                    }
                }
                return symbols.Count == 0 ? null : symbols.ToFrozenDictionary(StringComparer.Ordinal);
            }
        );

    private static T? Attempt<T>(string path, Func<string, T?> read)
        where T : class
    {
        try
        {
            return OperatingSystem.IsLinux() && File.Exists(path) ? read(path) : null;
        }
        catch (Exception error) when (error is InputException || FileErrors.IsFileError(error))
        {
            // What the kernel does not show is as if it had none; whoever needs it says so.
            return null;
        }
    }

    private static uint? ParseRelease(string? release)
    {
        var parts = (release ?? "").Split('.', 3);
        return parts.Length >= 2 && Number(parts[0]) is { } major && Number(parts[1]) is { } minor
            ? (major << 16) | (minor << 8) | Math.Min(parts.Length > 2 ? Number(parts[2]) ?? 0 : 0, 255)
            : null;

        static uint? Number(string text)
        {
            var digits = text.AsSpan().IndexOfAnyExceptInRange('0', '9');
            return uint.TryParse(
                digits < 0 ? text : text.AsSpan(0, digits),
                CultureInfo.InvariantCulture,
                out var number
            )
                ? number
                : null;
        }
    }
}
