using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>Hot path of cpumaps (kernel/bpf/cpumap.c): programs only redirect by them.</summary>
internal readonly unsafe struct CpumapOperations : IMapOperations
{
    public static byte* LookupElement(MapHeader* map, BpfRuntime* runtime, byte* key) => null;

    public static long UpdateElement(MapHeader* map, BpfRuntime* runtime, byte* key, byte* value, ulong flags) =>
        -Errno.EOPNOTSUPP;

    public static long DeleteElement(MapHeader* map, BpfRuntime* runtime, byte* key) => -Errno.EOPNOTSUPP;

    public static long Redirect(MapHeader* map, BpfRuntime* runtime, ulong key, ulong flags)
    {
        var target = RedirectMaps.Target(map, (uint)key);
        return RedirectMaps.Choose(
            map,
            runtime,
            RedirectKind.Cpu,
            (uint)key,
            program: (uint)(target >> 32),
            isThere: target != 0,
            flags,
            allowed: 0
        );
    }
}
