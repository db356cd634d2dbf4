using RxStages.Bpf.Errors;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Programs;

/// <summary>What users change in an object before it is loaded: sizes of maps and values of variables.</summary>
public static class Configuration
{
    /// <summary>The object as the options want it.</summary>
    /// <exception cref="InputException">It has no such map or variable, or the value does not fit.</exception>
    public static ObjectSpec Apply(ObjectSpec spec, LoadOptions options)
    {
        ArgumentNullException.ThrowIfNull(spec);
        ArgumentNullException.ThrowIfNull(options);
        foreach (var (name, size) in options.MapSizes)
        {
            spec = Resize(spec, name, size);
        }
        foreach (var (path, value) in options.Globals)
        {
            spec = GlobalVariables.Set(spec, path, value);
        }
        return spec;
    }

    private static ObjectSpec Resize(ObjectSpec spec, string name, uint size)
    {
        var resizable = spec.Maps.Where(map => !map.IsGlobalData).ToArray();
        var map =
            Array.Find(resizable, map => map.Name == name)
            ?? throw new InputException(
                spec.Source,
                place: null,
                $"no map '{name}' to give {size} entries{NameSuggestion.Ask(name, resizable.Select(map => map.Name))}"
            );
        return spec with { Maps = spec.Maps.Replace(map, map with { MaxEntries = size }) };
    }
}
