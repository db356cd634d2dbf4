using System.Buffers.Binary;
using System.Collections.Immutable;
using RxStages.Bpf.Compilation;
using RxStages.Bpf.Errors;
using RxStages.Bpf.Interpretation;
using RxStages.Bpf.Isa;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;
using RxStages.Bpf.Verification;

namespace RxStages.Bpf.Programs;

/// <summary>
/// An object file made live: its maps, and those of its programs that were asked for, ready to run. This is
/// where the other rooms of the project come together.
/// </summary>
public sealed class LoadedObject : IDisposable
{
    private readonly LoadOptions _options;
    private readonly ImmutableArray<Map> _linked;
    private readonly Dictionary<string, XdpProgram> _programs = new(StringComparer.Ordinal);

    private LoadedObject(ObjectSpec spec, LoadOptions options, ImmutableArray<Map> linked)
    {
        Spec = spec;
        Maps = [.. linked.OfType<NativeMap>()];
        _linked = linked;
        _options = options;
    }

    /// <summary>What was loaded.</summary>
    public ObjectSpec Spec { get; }

    /// <summary>True when functions of its programs are replaced by those of other objects.</summary>
    internal bool HasReplacements => !_options.Replacements.IsEmpty;

    /// <summary>
    /// The live maps, in the order of <see cref="ObjectSpec.Maps"/>; without those of a type that is not supported, which
    /// programs may name but not use.
    /// </summary>
    public ImmutableArray<NativeMap> Maps { get; }

    /// <summary>
    /// Makes an object's maps, with the contents that the file gives them: global data, and the programs of prog arrays
    /// with static values.
    /// </summary>
    /// <exception cref="InputException">A map cannot be made, or a program is rejected.</exception>
    public static LoadedObject Load(ObjectSpec spec, LoadOptions? options = null)
    {
        options ??= new LoadOptions();
        spec = Configuration.Apply(spec, options);
        var maps = ImmutableArray.CreateBuilder<Map>(spec.Maps.Length);
        LoadedObject loaded;
        try
        {
            spec = spec with { Maps = [.. spec.Maps.Select(map => MapFactory.Complete(map, options.Maps.CpuCount))] };
            foreach (var map in spec.Maps)
            {
                maps.Add(MapFactory.Supports(map.Type) ? MapFactory.Create(map, options.Maps) : new AbsentMap(map));
            }
            loaded = new LoadedObject(spec, options, maps.ToImmutable());
        }
        catch (InputException error)
        {
            DisposeAll(maps);
            throw new InputException(spec.Source, error.InputSource, error.Reason);
        }
        try
        {
            loaded.CheckReplacements();
            loaded.FillMapsOfMaps();
            loaded.FillProgramArrays();
            loaded.RestorePinnedMaps();
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
        return loaded;
    }

    /// <summary>The programs that were asked for so far, and those that maps name.</summary>
    public IReadOnlyCollection<XdpProgram> Programs => _programs.Values;

    /// <summary>
    /// The program of that name (see <see cref="ObjectSpec.FindProgram"/>), ready to run; made when it is first asked for.
    /// </summary>
    /// <exception cref="InputException">There is no such program, it is not supported, or the verifier rejects it.</exception>
    public XdpProgram GetProgram(string? name = null)
    {
        var spec = Spec.FindProgram(name);
        if (!_programs.TryGetValue(spec.Name, out var program))
        {
            program = Make(spec);
            _programs.Add(spec.Name, program);
        }
        return program;
    }

    /// <summary>
    /// Fills a map from JSON in the form of <see cref="MapContents"/>; programs of prog arrays are this object's, by name.
    /// </summary>
    /// <param name="name">The map's name.</param>
    /// <param name="json">The document.</param>
    /// <param name="source">What errors call it.</param>
    /// <param name="findElsewhere">
    /// Finds a program that is not one of this object's by its name, in an object that lives as long as this one; null: there
    /// are no others.
    /// </param>
    /// <exception cref="InputException">There is no such map, or it does not take what the document holds.</exception>
    public void FillMap(
        string name,
        ReadOnlySpan<byte> json,
        string source,
        Func<string, (LoadedObject Object, string? Program)?>? findElsewhere = null
    )
    {
        var map = FindMap(name);
        MapContents.Read(
            map,
            json,
            source,
            program =>
                Spec.Programs.Concat(Spec.UntypedPrograms).Any(spec => spec.Name == program)
                    ? GetProgramFor(map, program, source)
                : findElsewhere?.Invoke(program) is { } other ? other.Object.GetProgramFor(map, other.Program, source)
                : null,
            inner => Maps.FirstOrDefault(other => other.Spec.Name == inner)
        );
    }

    // Entries take programs that were made for them, prog arrays any.
    private XdpProgram GetProgramFor(NativeMap map, string? name, string source)
    {
        var spec = Spec.FindProgram(name);
        var kind = spec.AttachKind;
        var expected = map switch
        {
            Devmap or DevmapHash => AttachKind.Devmap,
            Cpumap => AttachKind.Cpumap,
            _ => kind,
        };
        return kind == expected
            ? GetProgram(name)
            : throw new InputException(
                source,
                $"program {spec.Name}",
                $"is for {kind}, but entries of map '{map.Spec.Name}' take programs for {expected}: SEC(\"xdp/{expected.ToString().ToLowerInvariant()}\")"
            );
    }

    /// <summary>Verifies a program of the object without making it live.</summary>
    /// <exception cref="InputException">It is not supported, or the verifier rejects it.</exception>
    public static VerifiedProgram Verify(ObjectSpec spec, ProgramSpec program, VerifierOptions? options = null)
    {
        ThrowIfUnsupported(spec, program);
        options ??= new VerifierOptions();
        return Verifier.Verify(
            KfuncAddresses.Resolve(program),
            spec.Maps,
            options with
            {
                License = spec.License,
                Kernel = options.Kernel == TargetKernel.None ? spec.Kernel : options.Kernel,
            }
        );
    }

    /// <summary>The map of that name.</summary>
    /// <exception cref="InputException">There is none; the message lists those that are.</exception>
    public NativeMap FindMap(string name) =>
        Maps.FirstOrDefault(map => map.Spec.Name == name)
        ?? throw new InputException(
            Spec.Source,
            place: null,
            Spec.Maps.FirstOrDefault(map => map.Name == name) is { } absent
                    ? $"map '{name}' is of type {absent.Type}, which is not supported"
                : Maps.IsEmpty ? $"no map '{name}': there are no maps"
                : $"no map '{name}'{NameSuggestion.Ask(name, Maps.Select(map => map.Spec.Name))}: there are {NameSuggestion.List([.. Maps.Select(map => map.Spec.Name)])}"
        );

    /// <summary>
    /// How many bytes of a map's value there are from an address on, 0 if it is not in one: what
    /// <see cref="RuntimeServices.ReadableBytes"/> asks.
    /// </summary>
    public unsafe int ReadableBytes(nint address)
    {
        foreach (var map in Maps)
        {
            int least = 0,
                most = (int)Math.Min(map.Spec.ValueSize, int.MaxValue);
            while (least < most)
            {
                var middle = least + ((most - least + 1) / 2);
                (least, most) = map.ContainsValue((byte*)address, middle) ? (middle, most) : (least, middle - 1);
            }
            if (least > 0)
            {
                return least;
            }
        }
        return 0;
    }

    /// <summary>
    /// Writes the maps that ask to be pinned by name to their files in <see cref="LoadOptions.PinDirectory"/>; programs
    /// should not be changing them.
    /// </summary>
    /// <exception cref="InputException">A file cannot be written.</exception>
    public void SavePinnedMaps()
    {
        if (_options.PinDirectory is { } directory)
        {
            foreach (var map in Maps.Where(map => map.Spec.PinByName))
            {
                PinnedMaps.Save(directory, map);
            }
        }
    }

    /// <summary>Frees programs and maps; nothing of them may run any more.</summary>
    public void Dispose()
    {
        DisposeAll(_programs.Values);
        _programs.Clear();
        DisposeAll(Maps);
    }

    /// <summary>The interpreter checks every access itself, so it also runs what the verifier cannot prove.</summary>
    private XdpProgram Make(ProgramSpec definition)
    {
        var (program, maps, linked) = Extend(definition);
        var spec = Spec with { Maps = maps };
        ThrowIfUnsupported(spec, program);
        var verifier = _options.Verifier with { CpuCount = _options.Maps.CpuCount };
        if (_options.Engine == ExecutionEngine.Compiler)
        {
            return IlCompiler.Compile(Verify(spec, program, verifier), linked, _options.Compiler);
        }
        // A program that names an absent map must pass the verifier here too: else a use of it would be noticed only when
        // a packet meets it.
        if (NamesAbsentMap(program, linked))
        {
            Verify(spec, program, verifier);
        }
        return new InterpretedProgram(KfuncAddresses.Resolve(program), linked);
    }

    /// <summary>The program with those of its functions replaced that the options say, over its own maps and the extensions'.</summary>
    private (ProgramSpec Program, ImmutableArray<MapSpec> Maps, ImmutableArray<Map> Linked) Extend(ProgramSpec program)
    {
        var maps = Spec.Maps;
        var linked = _linked;
        foreach (var replacement in _options.Replacements)
        {
            var other = replacement.Extension;
            var extension = other.Spec.FindExtension(replacement.Program);
            var name = replacement.Function ?? extension.Replaces!;
            if (program.Functions.FirstOrDefault(candidate => candidate.Name == name) is not { } function)
            {
                continue;
            }
            var problem =
                Spec.Btf is null
                || other.Spec.Btf is null
                || function.BtfType == 0
                || extension.Functions[0].BtfType == 0
                    ? "without BTF nobody knows what they take"
                    : Signature.Differ(Spec.Btf, function.BtfType, other.Spec.Btf, extension.Functions[0].BtfType);
            if (problem is not null)
            {
                throw new InputException(
                    other.Spec.Source,
                    $"program {extension.Name}",
                    $"cannot replace function '{name}' of {Spec.Source}: {problem}"
                );
            }
            program = ProgramMerge.Replace(program, program.Functions.IndexOf(function), extension, maps.Length);
            maps = maps.AddRange(other.Spec.Maps);
            linked = linked.AddRange(other._linked);
        }
        return (program, maps, linked);
    }

    /// <summary>Refuses replacements of what is nowhere: nobody would notice that they do nothing.</summary>
    private void CheckReplacements()
    {
        foreach (var replacement in _options.Replacements)
        {
            var name = replacement.Function ?? replacement.Extension.Spec.FindExtension(replacement.Program).Replaces!;
            var functions = Spec.Programs.SelectMany(program => program.Functions).Select(function => function.Name);
            if (!functions.Contains(name))
            {
                throw new InputException(
                    Spec.Source,
                    place: null,
                    $"no function '{name}' to replace{NameSuggestion.Ask(name, functions.Distinct())}"
                );
            }
        }
    }

    private static bool NamesAbsentMap(ProgramSpec program, ImmutableArray<Map> linked)
    {
        var instructions = program.Instructions;
        for (var slot = 0; slot < instructions.Length; slot += instructions[slot].IsWide ? 2 : 1)
        {
            var load = instructions[slot];
            if (
                load is { IsWide: true, Source: PseudoLoad.MapIndex or PseudoLoad.MapIndexValue }
                && (uint)load.Immediate < (uint)linked.Length
                && linked[load.Immediate] is AbsentMap
            )
            {
                return true;
            }
        }
        return false;
    }

    private void RestorePinnedMaps()
    {
        if (_options.PinDirectory is { } directory)
        {
            foreach (var map in Maps.Where(map => map.Spec.PinByName))
            {
                PinnedMaps.Restore(directory, map, (json, path) => FillMap(map.Spec.Name, json, path));
            }
        }
    }

    private static void ThrowIfUnsupported(ObjectSpec spec, ProgramSpec program)
    {
        if (program.Unsupported is { } reason)
        {
            throw new InputException(spec.Source, $"program {program.Name}", reason);
        }
    }

    private void FillMapsOfMaps()
    {
        foreach (var map in Maps.Where(map => !map.Spec.InitialMaps.IsEmpty))
        {
            var key = new byte[map.Spec.KeySize];
            foreach (var (index, name) in map.Spec.InitialMaps)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(key, index);
                var error = ((IMapOfMaps)map).SetMap(key, FindMap(name));
                if (error != 0)
                {
                    throw new InputException(
                        Spec.Source,
                        $"map {map.Spec.Name}",
                        $"map '{name}' at index {index}: {(error == -Errno.EINVAL ? "it is not like what the map is to hold" : $"error {-error}")}"
                    );
                }
            }
        }
    }

    private void FillProgramArrays()
    {
        foreach (var map in Maps.OfType<ProgramArrayMap>())
        {
            foreach (var (index, name) in map.Spec.InitialPrograms)
            {
                if (index >= map.Spec.MaxEntries)
                {
                    throw new InputException(
                        Spec.Source,
                        $"map {map.Spec.Name}",
                        $"program '{name}' at index {index}: max_entries is {map.Spec.MaxEntries}"
                    );
                }
                map.SetProgram(index, GetProgram(name));
            }
        }
    }

    private static void DisposeAll(IEnumerable<IDisposable> things)
    {
        foreach (var thing in things)
        {
            thing.Dispose();
        }
    }
}
