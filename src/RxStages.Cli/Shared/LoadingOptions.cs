using System.Collections.Immutable;
using System.CommandLine;
using System.Globalization;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Programs;

namespace RxStages.Cli.Shared;

/// <summary>The options by which an object is fitted to a kernel and changed before it is loaded: of every command that reads one.</summary>
internal sealed class LoadingOptions
{
    private readonly Option<string> _btf = new("--btf")
    {
        Description =
            "The kernel's types, for objects that are fitted to them (CO-RE): BTF as it is or in an ELF file. Without it the running kernel's, where it shows them.",
        HelpName = "FILE",
    };

    private readonly Option<string> _kconfig = new("--kconfig")
    {
        Description =
            "The kernel's configuration, for programs that ask for its options: lines as in .config, also gzipped. Without it the running kernel's.",
        HelpName = "FILE",
    };

    private readonly Option<string[]> _set = new("--set")
    {
        Description =
            "Value of a global variable before the program is verified, constants (.rodata) among them: 'ports[2]=443', 'config.name=\"x\"'. May be repeated.",
        HelpName = "NAME=VALUE",
        Arity = ArgumentArity.OneOrMore,
    };

    private readonly Option<string[]> _mapSize = new("--map-size")
    {
        Description = "How many entries a map has (max_entries), in place of what the file says. May be repeated.",
        HelpName = "NAME=N",
        Arity = ArgumentArity.OneOrMore,
    };

    /// <summary>Gives them to a command.</summary>
    public LoadingOptions(Command command)
    {
        command.Add(_btf);
        command.Add(_kconfig);
        command.Add(_set);
        command.Add(_mapSize);
    }

    /// <summary>Reads an object file, fitted and changed as the user asked.</summary>
    /// <exception cref="InputException">A file is missing or broken, or has nothing of a name.</exception>
    /// <exception cref="UsageException">An option is not of its form.</exception>
    public ObjectSpec Read(ParseResult parsed, string path) => Read(parsed, [path])[0];

    /// <summary>Reads several object files. A variable or map is changed in those that have it: one at least.</summary>
    /// <exception cref="InputException">A file is missing or broken, or none has anything of a name.</exception>
    /// <exception cref="UsageException">An option is not of its form.</exception>
    public ImmutableArray<ObjectSpec> Read(ParseResult parsed, IEnumerable<string> paths)
    {
        var kernel = TargetKernel.Create(parsed.GetValue(_btf), parsed.GetValue(_kconfig));
        LoadOptions[] changes =
        [
            .. (parsed.GetValue(_mapSize) ?? []).Select(Size),
            .. (parsed.GetValue(_set) ?? []).Select(Value),
        ];
        ObjectSpec[] specs = [.. paths.Select(path => ObjectReader.Read(path, kernel))];
        foreach (var change in changes)
        {
            Apply(specs, change);
        }
        return [.. specs];
    }

    private static void Apply(ObjectSpec[] specs, LoadOptions change)
    {
        InputException? error = null;
        var isApplied = false;
        foreach (ref var spec in specs.AsSpan())
        {
            try
            {
                spec = Configuration.Apply(spec, change);
                isApplied = true;
            }
            catch (InputException refused)
            {
                error ??= refused;
            }
        }
        if (!isApplied)
        {
            throw error!;
        }
    }

    private static LoadOptions Size(string argument)
    {
        var (name, text) = Split("--map-size", argument, "NAME=N");
        return uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var size)
            ? new LoadOptions { MapSizes = ImmutableDictionary<string, uint>.Empty.Add(name, size) }
            : throw new UsageException($"--map-size {argument}: '{text}' is not a number of entries");
    }

    private static LoadOptions Value(string argument)
    {
        var (name, value) = Split("--set", argument, "NAME=VALUE");
        return new LoadOptions { Globals = [new(name, value)] };
    }

    private static (string Name, string Value) Split(string option, string argument, string form) =>
        argument.Split('=', 2) is [{ Length: > 0 } name, var value]
            ? (name.Trim(), value.Trim())
            : throw new UsageException($"{option} {argument}: it takes {form}");
}
