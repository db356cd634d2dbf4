using System.Buffers.Binary;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;

namespace RxStages.Linux.KernelBpf;

/// <summary>An object file loaded into the kernel: all its maps, and the programs asked for.</summary>
public sealed class KernelObject : IDisposable
{
    private readonly List<KernelMap> _maps = [];
    private readonly List<KernelProgram> _programs = [];
    private readonly List<FileDescriptor> _links = [];
    private readonly KernelBtf? _types;

    private KernelObject(ObjectSpec spec)
    {
        Spec = spec;
        _types = KernelBtf.TryLoad(spec, out var complaint);
        TypesRefused = complaint;
    }

    /// <summary>What it was made from.</summary>
    public ObjectSpec Spec { get; }

    /// <summary>What the kernel said against the object's types, so that it was loaded without; else null.</summary>
    public string? TypesRefused { get; }

    /// <summary>The maps, in the order of <see cref="ObjectSpec.Maps"/>.</summary>
    public IReadOnlyList<KernelMap> Maps => _maps;

    /// <summary>The programs that were loaded.</summary>
    public IReadOnlyList<KernelProgram> Programs => _programs;

    /// <summary>
    /// Makes the maps with their initial contents (frozen where the file says so), loads the programs, and fills prog
    /// arrays.
    /// </summary>
    /// <param name="spec">The object. To configure it, give one whose <c>.rodata</c> has other initial values.</param>
    /// <param name="programs">The names of the programs to load; null loads all. Those in prog arrays come along.</param>
    /// <exception cref="KernelBpfException">The kernel refused.</exception>
    public static KernelObject Load(ObjectSpec spec, IReadOnlyCollection<string>? programs = null)
    {
        var loaded = new KernelObject(spec);
        try
        {
            foreach (var map in spec.Maps)
            {
                loaded.AddMap(map);
            }
            var wanted = (programs ?? spec.Programs.Select(p => p.Name))
                .Concat(spec.Maps.SelectMany(m => m.InitialPrograms.Values))
                .ToHashSet(StringComparer.Ordinal);
            foreach (var program in spec.Programs.Concat(spec.UntypedPrograms).Where(p => wanted.Contains(p.Name)))
            {
                loaded._programs.Add(KernelProgram.Load(program, spec.License, loaded._maps, loaded._types));
            }
            loaded.FillMaps();
            return loaded;
        }
        catch
        {
            loaded.Dispose();
            throw;
        }
    }

    /// <summary>The map of that name.</summary>
    /// <exception cref="KeyNotFoundException">There is none.</exception>
    public KernelMap Map(string name) =>
        _maps.Find(m => m.Spec.Name == name) ?? throw new KeyNotFoundException($"{Spec.Source}: no map {name}");

    /// <summary>
    /// Loads an extension of this object and puts it in the place of a function of a program of another one, until this
    /// object is disposed (<c>freplace</c>).
    /// </summary>
    /// <param name="extension">The extension, one of <see cref="ObjectSpec.Extensions"/>.</param>
    /// <param name="program">The program.</param>
    /// <param name="function">The function.</param>
    /// <exception cref="KernelBpfException">The kernel refused.</exception>
    public void Replace(ProgramSpec extension, KernelProgram program, string function)
    {
        var place = new KernelAttachPoint(
            program,
            program.Spec.Functions.First(candidate => candidate.Name == function).BtfType
        );
        var loaded = KernelProgram.Load(extension, Spec.License, _maps, _types, place);
        _programs.Add(loaded);
        _links.Add(loaded.Attach(place));
    }

    /// <summary>The loaded program of that name.</summary>
    /// <exception cref="KeyNotFoundException">There is none, or it was not asked for.</exception>
    public KernelProgram Program(string name) =>
        _programs.Find(p => p.Spec.Name == name)
        ?? throw new KeyNotFoundException($"{Spec.Source}: no program {name} loaded");

    /// <summary>Whether the kernel takes a program over these maps and types; see <see cref="KernelProgram.Judge(ProgramSpec, string, IReadOnlyList{KernelMap})"/>.</summary>
    /// <returns>0 when it does; else the error number, positive.</returns>
    public int Judge(ProgramSpec program) => KernelProgram.Judge(program, Spec.License, _maps, _types);

    /// <summary>Loads another program over these maps and types; it is the caller's.</summary>
    /// <exception cref="KernelBpfException">The kernel refused; the exception has the verifier's log.</exception>
    public KernelProgram LoadProgram(ProgramSpec program) => KernelProgram.Load(program, Spec.License, _maps, _types);

    /// <inheritdoc/>
    public void Dispose()
    {
        _links.ForEach(link => link.Dispose());
        _programs.ForEach(p => p.Dispose());
        _maps.ForEach(m => m.Dispose());
        _types?.Dispose();
    }

    private void AddMap(MapSpec definition)
    {
        var spec = MapFactory.Complete(definition, KernelMap.PossibleCpus);
        using var inner = spec.Inner is null ? null : KernelMap.Create(spec.Inner, inner: null, _types);
        var map = KernelMap.Create(spec, inner, _types);
        _maps.Add(map);
        if (!spec.InitialValue.IsEmpty)
        {
            Span<byte> key = stackalloc byte[sizeof(uint)];
            key.Clear();
            var error = map.Update(key, spec.InitialValue.AsSpan(), 0);
            if (error != 0)
            {
                throw new KernelBpfException($"set the initial value of {spec.Name}", -error);
            }
        }
        if (spec.IsFrozen)
        {
            map.Freeze();
        }
    }

    private void FillMaps()
    {
        foreach (var map in _maps)
        {
            foreach (var (index, name) in map.Spec.InitialPrograms)
            {
                map.SetProgram(index, Program(name));
            }
            foreach (var (index, name) in map.Spec.InitialMaps)
            {
                var key = new byte[map.Spec.KeySize];
                BinaryPrimitives.WriteUInt32LittleEndian(key, index);
                map.SetMap(key, Map(name));
            }
        }
    }
}
