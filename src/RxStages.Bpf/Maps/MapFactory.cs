using RxStages.Bpf.Errors;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Maps;

/// <summary>Makes live maps of their definitions.</summary>
public static class MapFactory
{
    /// <summary>True for the types of maps that can be made.</summary>
    public static bool Supports(MapType type) => MapTypeTable.Find(type) is not null;

    /// <summary>
    /// The definition as loaders complete it (libbpf's <c>map_set_def_max_entries</c>): a perf event array without a number of
    /// entries has one for each CPU.
    /// </summary>
    public static MapSpec Complete(MapSpec spec, int cpuCount) =>
        spec is { Type: MapType.PerfEventArray, MaxEntries: 0 } ? spec with { MaxEntries = (uint)cpuCount } : spec;

    /// <summary>
    /// Makes a map, with the kernel's checks of its definition. Global data has its initial value and is frozen where the
    /// definition says so.
    /// </summary>
    /// <exception cref="InputException">The definition is not valid, not supported, or out of proportion; it names the map.</exception>
    public static NativeMap Create(MapSpec spec, MapOptions? options = null)
    {
        options ??= MapOptions.Default;
        ArgumentOutOfRangeException.ThrowIfLessThan(options.CpuCount, 1, nameof(options));
        var type =
            MapTypeTable.Find(spec.Type)
            ?? throw new InputException($"map {spec.Name}", null, $"maps of type {spec.Type} are not supported");
        MapChecks.AnyType(spec);
        type.Check(spec);
        var map = type.Make(spec, options);
        if (spec.IsFrozen)
        {
            map.Freeze();
        }
        return map;
    }
}
