using System.Runtime.CompilerServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// The operations of a map whose values have a timer: those of its type, and when an element is replaced or deleted, its
/// timer ends (<c>check_and_free_fields</c>).
/// </summary>
internal readonly unsafe struct TimedOperations<TOperations> : IMapOperations
    where TOperations : IMapOperations
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static byte* LookupElement(MapHeader* map, BpfRuntime* runtime, byte* key) =>
        TOperations.LookupElement(map, runtime, key);

    public static long UpdateElement(MapHeader* map, BpfRuntime* runtime, byte* key, byte* value, ulong flags)
    {
        var before = TOperations.LookupElement(map, runtime, key);
        var error = TOperations.UpdateElement(map, runtime, key, value, flags);
        if (error == 0)
        {
            EndTimer(map, before);
            // The element may have been another key's, which was evicted.
            EndTimer(map, TOperations.LookupElement(map, runtime, key));
        }
        return error;
    }

    public static long DeleteElement(MapHeader* map, BpfRuntime* runtime, byte* key)
    {
        var before = TOperations.LookupElement(map, runtime, key);
        var error = TOperations.DeleteElement(map, runtime, key);
        if (error == 0)
        {
            EndTimer(map, before);
        }
        return error;
    }

    public static long Redirect(MapHeader* map, BpfRuntime* runtime, ulong key, ulong flags) =>
        TOperations.Redirect(map, runtime, key, flags);

    public static bool NextElement(MapHeader* map, BpfRuntime* runtime, MapCursor* cursor) =>
        TOperations.NextElement(map, runtime, cursor);

    private static void EndTimer(MapHeader* map, byte* value)
    {
        if (value is not null)
        {
            MapTimers.FreeIn(map, value);
        }
    }
}
