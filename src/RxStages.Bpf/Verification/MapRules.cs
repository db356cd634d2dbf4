using RxStages.Bpf.Helpers;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Verification;

/// <summary>
/// What programs may do with which maps: the types' rules of <see cref="MapTypeTable"/>, and those of a map's own flags.
/// </summary>
internal static class MapRules
{
    private const int MapUpdate = 2;
    private const int MapDelete = 3;

    /// <summary><c>bpf_tail_call</c></summary>
    public const int TailCall = 12;

    /// <summary>Why a helper may not be called with a map, or null if it may.</summary>
    public static string? ReasonAgainst(HelperDefinition helper, MapSpec map)
    {
        if (MapTypeTable.Find(map.Type) is not { } type)
        {
            return $"map '{map.Name}' is of type {map.Type}, which is not supported";
        }
        if (!type.Allows(helper.Id))
        {
            return $"bpf_{helper.Name} does not work on map '{map.Name}' of type {map.Type}";
        }
        return helper.Id is MapUpdate or MapDelete && IsReadOnlyForPrograms(map)
            ? $"bpf_{helper.Name} would write to map '{map.Name}', which is read-only for programs"
            : null;
    }

    /// <summary>True when programs may not write its values.</summary>
    public static bool IsReadOnlyForPrograms(MapSpec map) =>
        map.Flags.HasFlag(MapFlags.ReadOnlyProgram)
        || map.IsFrozen
        || MapTypeTable.Find(map.Type) is { IsReadOnlyForPrograms: true };

    /// <summary>True when its contents never change while programs run (<c>bpf_map_is_rdonly</c>).</summary>
    public static bool IsConstant(MapSpec map) => map.IsFrozen && map.Type == MapType.Array && map.MaxEntries == 1;

    /// <summary>
    /// True for arrays, whose look-ups find every index that is in range; not for inner maps that may have fewer entries than
    /// their template.
    /// </summary>
    public static bool AlwaysFindsIndex(MapSpec map) =>
        !map.Flags.HasFlag(MapFlags.InnerMap) && MapTypeTable.Find(map.Type) is { AlwaysFindsIndex: true };

    /// <summary>True when its values hold a timer, which must be initialised with the very map that it is in.</summary>
    public static bool HasTimer(MapSpec map) => map.SpecialFields.Any(field => field.Kind == SpecialFieldKind.Timer);

    /// <summary>True when its values hold a spin lock: pointers to the same value must then be known as such.</summary>
    public static bool HasLock(MapSpec map) => map.SpecialFields.Any(field => field.Kind == SpecialFieldKind.SpinLock);
}
