using RxStages.Bpf.Errors;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Maps;

/// <summary>Makes live maps of their definitions.</summary>
public static class MapFactory
{
    private const uint DefaultEntries = 64;

    /// <summary>True for the types of maps that can be made.</summary>
    public static bool Supports(MapType type) => MapTypeTable.Find(type) is not null;

    /// <summary>
    /// The definition with a size where the file leaves it to the loader (<c>max_entries</c> 0): for maps with an entry for
    /// each CPU how many those are, for maps that name programs, interfaces or sockets 64 entries.
    /// </summary>
    /// <param name="spec">The definition.</param>
    /// <param name="cpuCount">How many CPUs there are.</param>
    public static MapSpec Complete(MapSpec spec, int cpuCount) =>
        spec.MaxEntries != 0
            ? spec
            : spec.Type switch
            {
                MapType.PerfEventArray or MapType.Cpumap => spec with { MaxEntries = (uint)cpuCount },
                MapType.ProgArray or MapType.Devmap or MapType.Xskmap => spec with { MaxEntries = DefaultEntries },
                _ => spec,
            };

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
