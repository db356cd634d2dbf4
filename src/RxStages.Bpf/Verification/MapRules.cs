using RxStages.Bpf.Helpers;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Verification;

/// <summary>
/// What programs may do with which maps, as data; after the kernel's <c>check_map_func_compatibility</c> and the flags that
/// map types set for themselves.
/// </summary>
internal static class MapRules
{
    private const int MapLookup = 1;
    private const int MapUpdate = 2;
    private const int MapDelete = 3;
    private const int RedirectMap = 51;

    /// <summary><c>bpf_tail_call</c></summary>
    public const int TailCall = 12;

    private static readonly int[] Storage = [MapLookup, MapUpdate, MapDelete];

    /// <summary>By map type, the helpers that take it. Types that are not here are not supported.</summary>
    private static readonly Dictionary<MapType, int[]> HelpersFor = new()
    {
        [MapType.Hash] = Storage,
        [MapType.Array] = Storage,
        [MapType.PercpuHash] = Storage,
        [MapType.PercpuArray] = Storage,
        [MapType.LruHash] = Storage,
        [MapType.LruPercpuHash] = Storage,
        [MapType.LpmTrie] = Storage,
        [MapType.ProgArray] = [TailCall],
        [MapType.Devmap] = [RedirectMap, MapLookup],
        [MapType.DevmapHash] = [RedirectMap, MapLookup],
        [MapType.Cpumap] = [RedirectMap],
        [MapType.Xskmap] = [RedirectMap, MapLookup],
    };

    /// <summary>Why a helper may not be called with a map, or null if it may.</summary>
    public static string? ReasonAgainst(HelperDefinition helper, MapSpec map)
    {
        if (!HelpersFor.TryGetValue(map.Type, out var helpers))
        {
            return $"map '{map.Name}' is of type {map.Type}, which is not supported";
        }
        if (Array.IndexOf(helpers, helper.Id) >= 0)
        {
            return helper.Id is MapUpdate or MapDelete && IsReadOnlyForPrograms(map)
                ? $"bpf_{helper.Name} would write to map '{map.Name}', which is read-only for programs"
                : null;
        }
        return $"bpf_{helper.Name} does not work on map '{map.Name}' of type {map.Type}";
    }

    /// <summary>True when programs may not write its values. The kernel sets that for devmaps itself.</summary>
    public static bool IsReadOnlyForPrograms(MapSpec map) =>
        map.Flags.HasFlag(MapFlags.ReadOnlyProgram) || map.IsFrozen || map.Type is MapType.Devmap or MapType.DevmapHash;

    /// <summary>True when its contents never change while programs run (<c>bpf_map_is_rdonly</c>).</summary>
    public static bool IsConstant(MapSpec map) => map.IsFrozen && map.Type == MapType.Array && map.MaxEntries == 1;

    /// <summary>True for arrays, whose look-ups find every index that is in range.</summary>
    public static bool AlwaysFindsIndex(MapSpec map) => map.Type is MapType.Array or MapType.PercpuArray;
}
