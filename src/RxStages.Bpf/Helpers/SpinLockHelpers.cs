using System.Collections.Immutable;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>Helpers for the locks in map values.</summary>
internal static unsafe class SpinLockHelpers
{
    internal static readonly ImmutableArray<HelperDefinition> Definitions =
    [
        new(
            93,
            "spin_lock",
            ReturnType.Void,
            [ArgumentType.SpinLock],
            Lock,
            "kernel/bpf/helpers.c: bpf_spin_lock",
            "Takes the lock in a map value, waiting for whoever holds it."
        ),
        new(
            94,
            "spin_unlock",
            ReturnType.Void,
            [ArgumentType.SpinLock],
            Unlock,
            "kernel/bpf/helpers.c: bpf_spin_unlock",
            "Releases the lock in a map value."
        ),
    ];

    private static ulong Lock(BpfRuntime* runtime, ulong word, ulong r2, ulong r3, ulong r4, ulong r5)
    {
        WordLock.Enter((int*)word);
        return 0;
    }

    private static ulong Unlock(BpfRuntime* runtime, ulong word, ulong r2, ulong r3, ulong r4, ulong r5)
    {
        WordLock.Exit((int*)word);
        return 0;
    }
}
