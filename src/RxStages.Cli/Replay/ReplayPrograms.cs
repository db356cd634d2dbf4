using System.Collections.Immutable;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Programs;
using RxStages.Bpf.Runtime;
using RxStages.Cli.Shared;

namespace RxStages.Cli.Replay;

/// <summary>
/// What a replay runs: one program, or several in a chain; with the objects that they are of, and those with functions that
/// replace some of theirs. A file that is named more than once is one object.
/// </summary>
internal sealed class ReplayPrograms : IDisposable
{
    private readonly Dictionary<string, LoadedObject> _objects = new(StringComparer.Ordinal);
    private readonly Dictionary<string, LoadedObject> _others = new(StringComparer.Ordinal);
    private readonly List<LoadedObject> _extensions = [];

    /// <summary>Loads all of it.</summary>
    /// <exception cref="InputException">Something is missing, does not fit, or is rejected.</exception>
    /// <exception cref="UsageException">An option is not of its form.</exception>
    public ReplayPrograms(ReplayOptions options)
    {
        try
        {
            var load = new LoadOptions
            {
                Engine = options.Engine,
                Maps = new MapOptions { CpuCount = Math.Max(Environment.ProcessorCount, options.Cpu + 1) },
                PinDirectory = options.PinDirectory,
            };
            var replacements = LoadReplacements(options, load);
            foreach (var spec in options.Objects)
            {
                _objects.Add(spec.Source, LoadedObject.Load(spec, load with { Replacements = replacements }));
            }
            KernelTypes = MayUseKernelTypes(options) ? options.Objects[0].Kernel.Types : null;
            MapFiles.Fill([.. Objects], options.Maps, name => FindElsewhere(name, options.Objects[0].Kernel, load));
            Program = options.Programs is [var only] ? _objects[only.File].GetProgram(only.Program) : Chain(options);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The program, or the chain.</summary>
    public XdpProgram Program { get; }

    /// <summary>The objects whose programs run.</summary>
    public IReadOnlyCollection<LoadedObject> Objects => _objects.Values;

    /// <summary>All of their maps.</summary>
    public IEnumerable<NativeMap> Maps => Objects.SelectMany(each => each.Maps);

    /// <summary>
    /// The kernel's types, as the programs were verified with, where any program may look into structures of the kernel's;
    /// else null: reading them takes a while.
    /// </summary>
    public Btf? KernelTypes { get; }

    /// <summary>Bytes that may be read at an address, of any of the objects' maps.</summary>
    public int ReadableBytes(nint address) =>
        _objects.Values.Concat(_others.Values).Max(each => each.ReadableBytes(address));

    /// <summary>Keeps what pinned maps hold for the next run.</summary>
    /// <exception cref="InputException">A file cannot be written.</exception>
    public void SavePinnedMaps()
    {
        foreach (var each in Objects)
        {
            each.SavePinnedMaps();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        (Program as ProgramChain)?.Dispose();
        foreach (var each in _objects.Values.Concat(_others.Values).Concat(_extensions))
        {
            each.Dispose();
        }
    }

    /// <summary>A program of another file, as <c>FILE[:NAME]</c>: maps may name it. Null if there is no such file.</summary>
    private (LoadedObject, string?)? FindElsewhere(string name, TargetKernel kernel, LoadOptions load)
    {
        var reference = ProgramReference.Parse(name);
        if (!_objects.TryGetValue(reference.File, out var loaded) && !_others.TryGetValue(reference.File, out loaded))
        {
            if (!File.Exists(reference.File))
            {
                return null;
            }
            loaded = LoadedObject.Load(ObjectReader.Read(reference.File, kernel), load);
            _others.Add(reference.File, loaded);
        }
        return (loaded, reference.Program);
    }

    // Kernel structures come from kfuncs, and from sockets that there are.
    private static bool MayUseKernelTypes(ReplayOptions options) =>
        options.Sockets is not null
        || options.Objects.Any(spec => spec.Programs.Any(program => !program.Kfuncs.IsEmpty));

    private ImmutableArray<Replacement> LoadReplacements(ReplayOptions options, LoadOptions load)
    {
        var replacements = ImmutableArray.CreateBuilder<Replacement>();
        foreach (var (function, reference, spec) in options.Replacements)
        {
            var extension = LoadedObject.Load(spec, load);
            _extensions.Add(extension);
            replacements.Add(new Replacement(extension, reference.Program, function));
        }
        return replacements.ToImmutable();
    }

    private ProgramChain Chain(ReplayOptions options)
    {
        var configs = options.RunConfigs.ToDictionary(
            config => config.Program,
            config => config.Config,
            StringComparer.Ordinal
        );
        var entries = new List<ChainEntry>();
        foreach (var reference in options.Programs)
        {
            var loaded = _objects[reference.File];
            var name = loaded.Spec.FindProgram(reference.Program).Name;
            configs.Remove(name, out var config);
            entries.Add(new ChainEntry(loaded, reference.Program, config));
        }
        if (configs.Keys.FirstOrDefault() is { } unknown)
        {
            throw new UsageException(
                $"--run-config {unknown}: no such program runs"
                    + NameSuggestion.Ask(
                        unknown,
                        entries.Select(entry => entry.Object.Spec.FindProgram(entry.Program).Name)
                    )
            );
        }
        return new ProgramChain(entries);
    }
}
