using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Maps;

/// <summary>Makes live maps of their definitions.</summary>
public static class MapFactory
{
    /// <summary>True for the types of maps that can be made.</summary>
    public static bool Supports(MapType type) =>
        type
            is MapType.Array
                or MapType.PercpuArray
                or MapType.Hash
                or MapType.PercpuHash
                or MapType.LruHash
                or MapType.LruPercpuHash
                or MapType.LpmTrie
                or MapType.ProgArray
                or MapType.Devmap
                or MapType.DevmapHash
                or MapType.Cpumap
                or MapType.Xskmap;

    /// <summary>
    /// Makes a map, with the kernel's checks of its definition. Global data has its initial value and is frozen where the
    /// definition says so.
    /// </summary>
    /// <exception cref="Errors.InputException">The definition is not valid, not supported, or out of proportion; it names the map.</exception>
    public static NativeMap Create(MapSpec spec, MapOptions? options = null)
    {
        options ??= MapOptions.Default;
        ArgumentOutOfRangeException.ThrowIfLessThan(options.CpuCount, 1, nameof(options));
        MapChecks.Check(spec);
        NativeMap map = spec.Type switch
        {
            MapType.Array or MapType.PercpuArray => new ArrayMap(spec, options),
            MapType.Hash or MapType.PercpuHash => new HashMap(spec, options),
            MapType.LruHash or MapType.LruPercpuHash => new LruHashMap(spec, options),
            MapType.LpmTrie => new LpmTrieMap(spec, options),
            MapType.ProgArray => new ProgramArrayMap(spec, options),
            MapType.Devmap => new Devmap(spec, options),
            MapType.DevmapHash => new DevmapHash(spec, options),
            MapType.Cpumap => new Cpumap(spec, options),
            MapType.Xskmap => new Xskmap(spec, options),
            _ => throw new ArgumentException($"no map type {spec.Type}", nameof(spec)),
        };
        if (spec.IsFrozen)
        {
            map.Freeze();
        }
        return map;
    }
}
