using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>
/// The hot-path operations of one map type, as programs call them through helpers: static, so that the compiler can call
/// them directly, without allocation, exception or managed object. Errors are negated <see cref="Errno"/> values and the
/// kernel's.
/// </summary>
public unsafe interface IMapOperations
{
    /// <summary><c>bpf_map_lookup_elem</c>: the address of the value (for per-CPU maps: of this CPU's), or null.</summary>
    static abstract byte* LookupElement(MapHeader* map, BpfRuntime* runtime, byte* key);

    /// <summary><c>bpf_map_update_elem</c>: 0 or an error.</summary>
    static abstract long UpdateElement(MapHeader* map, BpfRuntime* runtime, byte* key, byte* value, ulong flags);

    /// <summary><c>bpf_map_delete_elem</c>: 0 or an error.</summary>
    static abstract long DeleteElement(MapHeader* map, BpfRuntime* runtime, byte* key);

    /// <summary><c>bpf_redirect_map</c>: <see cref="XdpAction.Redirect"/>, or on failure what the flags say.</summary>
    static abstract long Redirect(MapHeader* map, BpfRuntime* runtime, ulong key, ulong flags);

    /// <summary>
    /// <c>map_for_each_callback</c>, a step at a time: moves to the next element; false behind the last, and for types that
    /// cannot be walked. Between steps the program may update and delete the present key; other keys that it adds or changes
    /// meanwhile may be met or not, as in the kernel.
    /// </summary>
    static virtual bool NextElement(MapHeader* map, BpfRuntime* runtime, MapCursor* cursor) => false;
}
