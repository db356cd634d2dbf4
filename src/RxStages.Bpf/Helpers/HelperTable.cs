using System.Collections.Frozen;
using System.Collections.Immutable;

namespace RxStages.Bpf.Helpers;

/// <summary>
/// The table of all helpers that programs may call. Each family of helpers has a file of its own, with implementations
/// and entries; this table puts the families together.
/// </summary>
public static class HelperTable
{
    /// <summary>All helpers, by number.</summary>
    public static ImmutableArray<HelperDefinition> All { get; } =
    [
        .. new[]
        {
            MapHelpers.Definitions,
            QueueHelpers.Definitions,
            SpinLockHelpers.Definitions,
            RingbufHelpers.Definitions,
            PerfHelpers.Definitions,
            TimeHelpers.Definitions,
            WorkerHelpers.Definitions,
            TraceHelpers.Definitions,
            TailCallHelpers.Definitions,
            CallbackHelpers.Definitions,
            TimerHelpers.Definitions,
            RedirectHelpers.Definitions,
            ChecksumHelpers.Definitions,
            PacketHelpers.Definitions,
            ProbeHelpers.Definitions,
            StringHelpers.Definitions,
            RouteHelpers.Definitions,
            DynptrHelpers.Definitions,
            TaskHelpers.Definitions,
            SocketHelpers.Definitions,
            SynCookieHelpers.Definitions,
        }
            .SelectMany(family => family)
            .OrderBy(helper => helper.Id),
    ];

    private static readonly FrozenDictionary<int, HelperDefinition> ById = All.ToFrozenDictionary(helper => helper.Id);

    /// <summary>The helper of that number, or null if there is none here.</summary>
    public static HelperDefinition? Find(int id) => ById.GetValueOrDefault(id);
}
