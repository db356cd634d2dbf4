using System.Collections.Immutable;
using RxStages.Bpf.Objects;

namespace RxStages.Linux.KernelBpf;

/// <summary>An object file loaded into the kernel: all its maps, and the programs asked for.</summary>
public sealed class KernelObject : IDisposable
{
    private readonly List<KernelMap> _maps = [];
    private readonly List<KernelProgram> _programs = [];

    private KernelObject(ObjectSpec spec) => Spec = spec;

    /// <summary>What it was made from.</summary>
    public ObjectSpec Spec { get; }

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
            foreach (var program in spec.Programs.Where(p => wanted.Contains(p.Name)))
            {
                loaded._programs.Add(KernelProgram.Load(program, spec.License, loaded._maps));
            }
            loaded.FillProgArrays();
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

    /// <summary>The loaded program of that name.</summary>
    /// <exception cref="KeyNotFoundException">There is none, or it was not asked for.</exception>
    public KernelProgram Program(string name) =>
        _programs.Find(p => p.Spec.Name == name)
        ?? throw new KeyNotFoundException($"{Spec.Source}: no program {name} loaded");

    /// <inheritdoc/>
    public void Dispose()
    {
        _programs.ForEach(p => p.Dispose());
        _maps.ForEach(m => m.Dispose());
    }

    private void AddMap(MapSpec spec)
    {
        using var inner = spec.Inner is null ? null : KernelMap.Create(spec.Inner);
        var map = KernelMap.Create(spec, inner);
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

    private void FillProgArrays()
    {
        foreach (var map in _maps)
        {
            foreach (var (index, name) in map.Spec.InitialPrograms)
            {
                map.SetProgram(index, Program(name));
            }
        }
    }
}
