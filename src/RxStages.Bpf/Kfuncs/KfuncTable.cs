using System.Collections.Frozen;
using System.Collections.Immutable;

namespace RxStages.Bpf.Kfuncs;

/// <summary>
/// The table of all kfuncs that programs may call. Each family has a file of its own, with implementations and entries;
/// this table puts the families together.
/// </summary>
public static class KfuncTable
{
    /// <summary>All kfuncs, by name.</summary>
    public static ImmutableArray<KfuncDefinition> All { get; } =
    [
        .. new[]
        {
            ConntrackKfuncs.Definitions,
            DynptrKfuncs.Definitions,
            NumberIterator.Definitions,
            PacketKfuncs.Definitions,
            RegionKfuncs.Definitions,
            StringKfuncs.Definitions,
            ContextKfuncs.Definitions,
            OffloadKfuncs.Definitions,
        }
            .SelectMany(family => family)
            .OrderBy(kfunc => kfunc.Name, StringComparer.Ordinal),
    ];

    private static readonly FrozenDictionary<string, KfuncDefinition> ByName = All.ToFrozenDictionary(kfunc =>
        kfunc.Name
    );

    /// <summary>The kfunc of that name, or null if there is none here.</summary>
    public static KfuncDefinition? Find(string name) => ByName.GetValueOrDefault(name);
}
