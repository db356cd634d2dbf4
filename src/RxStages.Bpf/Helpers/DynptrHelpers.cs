using System.Collections.Immutable;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>Helpers on dynptrs: pointers that carry their bounds with them, checked when they are used.</summary>
internal static unsafe class DynptrHelpers
{
    private static readonly Argument s_any = new(ArgumentType.Dynptr) { Dynptr = DynptrKinds.Any };

    internal static readonly ImmutableArray<HelperDefinition> Definitions =
    [
        new(
            197,
            "dynptr_from_mem",
            ReturnType.Integer,
            [
                ArgumentType.WritableMemory,
                ArgumentType.SizeOrZero,
                ArgumentType.Anything,
                new(ArgumentType.UninitializedDynptr) { Dynptr = DynptrKinds.Local },
            ],
            FromMemory,
            "kernel/bpf/helpers.c: bpf_dynptr_from_mem",
            "Makes a dynptr to memory of a map value. A null dynptr and E2BIG above 16 MiB, EINVAL for flags."
        ),
        new(
            201,
            "dynptr_read",
            ReturnType.Integer,
            [ArgumentType.WritableMemory, ArgumentType.SizeOrZero, s_any, ArgumentType.Anything, ArgumentType.Anything],
            Read,
            "kernel/bpf/helpers.c: bpf_dynptr_read",
            "Copies bytes out of a dynptr. E2BIG beyond its end, EINVAL for flags and of a null one."
        ),
        new(
            202,
            "dynptr_write",
            ReturnType.Integer,
            [s_any, ArgumentType.Anything, ArgumentType.ReadableMemory, ArgumentType.SizeOrZero, ArgumentType.Anything],
            Write,
            "kernel/bpf/helpers.c: bpf_dynptr_write",
            "Copies bytes into a dynptr. E2BIG beyond its end, EINVAL for flags, of a null and of a read-only one."
        ),
        new(
            203,
            "dynptr_data",
            ReturnType.DynptrMemoryOrNull,
            [s_any, ArgumentType.Anything, ArgumentType.ConstAllocSize],
            Data,
            "kernel/bpf/helpers.c: bpf_dynptr_data",
            "The address of bytes in a dynptr; null beyond its end, for a read-only one, and for packets (bpf_dynptr_slice has those)."
        ),
    ];

    private static ulong FromMemory(BpfRuntime* runtime, ulong memory, ulong size, ulong flags, ulong result, ulong r5)
    {
        var error =
            (uint)size > Dynptr.MaxSize ? -Errno.E2BIG
            : flags != 0 ? -Errno.EINVAL
            : 0;
        *(Dynptr*)result = error != 0 ? default : new Dynptr((void*)memory, DynptrType.Local, 0, (uint)size);
        return (ulong)error;
    }

    private static ulong Read(BpfRuntime* runtime, ulong to, ulong length, ulong dynptr, ulong offset, ulong flags) =>
        (ulong)DynptrMemory.Read((byte*)to, (uint)length, (Dynptr*)dynptr, (uint)offset, flags);

    private static ulong Write(
        BpfRuntime* runtime,
        ulong dynptr,
        ulong offset,
        ulong from,
        ulong length,
        ulong flags
    ) => (ulong)DynptrMemory.Write((Dynptr*)dynptr, (uint)offset, (byte*)from, (uint)length, flags);

    private static ulong Data(BpfRuntime* runtime, ulong dynptr, ulong offset, ulong length, ulong r4, ulong r5)
    {
        var from = (Dynptr*)dynptr;
        return
            from->Data == null
            || from->IsReadOnly
            || from->Type == DynptrType.Xdp
            || !DynptrMemory.Holds(from, (uint)offset, (uint)length)
            ? 0
            : (ulong)from->Data + from->Offset + (uint)offset;
    }
}
