using System.Collections.Immutable;
using RxStages.Bpf.Helpers;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Kfuncs;

/// <summary>Kfuncs on dynptrs. Those that return an <c>int</c> leave the upper half of r0 zero, as the kernel's machine code does.</summary>
internal static unsafe class DynptrKfuncs
{
    private const string Buffers =
        "Slices of the packet end with the function whose stack their buffer is on, and their buffer cannot be a record that is to be submitted.";

    private static readonly Argument s_any = new(ArgumentType.Dynptr) { Dynptr = DynptrKinds.Any };

    internal static readonly ImmutableArray<KfuncDefinition> Definitions =
    [
        new(
            "bpf_dynptr_from_xdp",
            ReturnType.Integer,
            [
                ArgumentType.Context,
                ArgumentType.Scalar,
                new(ArgumentType.UninitializedDynptr) { Dynptr = DynptrKinds.Xdp },
            ],
            FromXdp,
            "net/core/filter.c: bpf_dynptr_from_xdp",
            "Makes a dynptr to the whole packet, fragments included. A null one and EINVAL for flags."
        ),
        new(
            "bpf_dynptr_slice",
            ReturnType.ReadOnlyDynptrMemoryOrNull,
            [s_any, ArgumentType.Scalar, ArgumentType.WritableMemoryOrNull, ArgumentType.ConstantSize],
            Slice,
            "kernel/bpf/helpers.c: bpf_dynptr_slice",
            "The address of bytes in a dynptr, to read; of the buffer, filled with them, where they are not in one piece. Null beyond its end."
        )
        {
            Difference = Buffers,
        },
        new(
            "bpf_dynptr_slice_rdwr",
            ReturnType.DynptrMemoryOrNull,
            [s_any, ArgumentType.Scalar, ArgumentType.WritableMemoryOrNull, ArgumentType.ConstantSize],
            WritableSlice,
            "kernel/bpf/helpers.c: bpf_dynptr_slice_rdwr",
            "The same to write: what is written to the buffer has to be written back with bpf_dynptr_write. Null of a read-only dynptr."
        )
        {
            Difference = Buffers,
        },
        new(
            "bpf_dynptr_adjust",
            ReturnType.Integer,
            [s_any, ArgumentType.Scalar, ArgumentType.Scalar],
            Adjust,
            "kernel/bpf/helpers.c: bpf_dynptr_adjust",
            "Narrows a dynptr to the bytes from a start to an end. EINVAL when these are out of order or it is null, ERANGE beyond its end."
        ),
        new(
            "bpf_dynptr_is_null",
            ReturnType.Integer,
            [s_any],
            IsNull,
            "kernel/bpf/helpers.c: bpf_dynptr_is_null",
            "True for a dynptr that names nothing."
        ),
        new(
            "bpf_dynptr_is_rdonly",
            ReturnType.Integer,
            [s_any],
            IsReadOnly,
            "kernel/bpf/helpers.c: bpf_dynptr_is_rdonly",
            "True for a dynptr to memory that may not be written."
        ),
        new(
            "bpf_dynptr_size",
            ReturnType.Integer,
            [s_any],
            Size,
            "kernel/bpf/helpers.c: bpf_dynptr_size",
            "How many bytes a dynptr has; -EINVAL for a null one."
        ),
        new(
            "bpf_dynptr_clone",
            ReturnType.Integer,
            [s_any, new(ArgumentType.UninitializedDynptr) { Dynptr = DynptrKinds.Any }],
            Clone,
            "kernel/bpf/helpers.c: bpf_dynptr_clone",
            "Makes a second dynptr to the same memory, with bounds of its own. A null one and EINVAL of a null one."
        ),
        new(
            "bpf_dynptr_copy",
            ReturnType.Integer,
            [s_any, ArgumentType.Scalar, s_any, ArgumentType.Scalar, ArgumentType.Scalar],
            Copy,
            "kernel/bpf/helpers.c: bpf_dynptr_copy",
            "Copies bytes from one dynptr to another, wherever they lie. E2BIG beyond an end."
        ),
        new(
            "bpf_dynptr_memset",
            ReturnType.Integer,
            [s_any, ArgumentType.Scalar, ArgumentType.Scalar, ArgumentType.Scalar],
            Fill,
            "kernel/bpf/helpers.c: bpf_dynptr_memset",
            "Fills bytes of a dynptr with a value. E2BIG beyond its end, EINVAL of a read-only one."
        ),
    ];

    private static ulong FromXdp(BpfRuntime* runtime, ulong context, ulong flags, ulong result, ulong r4, ulong r5)
    {
        var packet = (XdpBuff*)context;
        *(Dynptr*)result = flags != 0 ? default : new Dynptr(packet, DynptrType.Xdp, 0, packet->Length);
        return Int(flags != 0 ? -Errno.EINVAL : 0);
    }

    private static ulong Slice(BpfRuntime* runtime, ulong dynptr, ulong offset, ulong buffer, ulong length, ulong r5) =>
        (ulong)DynptrMemory.Slice((Dynptr*)dynptr, (uint)offset, (byte*)buffer, (uint)length);

    private static ulong WritableSlice(
        BpfRuntime* runtime,
        ulong dynptr,
        ulong offset,
        ulong buffer,
        ulong length,
        ulong r5
    ) => (ulong)DynptrMemory.WritableSlice((Dynptr*)dynptr, (uint)offset, (byte*)buffer, (uint)length);

    private static ulong Adjust(BpfRuntime* runtime, ulong dynptr, ulong start, ulong end, ulong r4, ulong r5)
    {
        var adjusted = (Dynptr*)dynptr;
        var (from, to) = ((uint)start, (uint)end);
        if (adjusted->Data == null || from > to)
        {
            return Int(-Errno.EINVAL);
        }
        if (to > adjusted->Size)
        {
            return Int(-Errno.ERANGE);
        }
        adjusted->Offset += from;
        adjusted->Size = to - from;
        return 0;
    }

    private static ulong IsNull(BpfRuntime* runtime, ulong dynptr, ulong r2, ulong r3, ulong r4, ulong r5) =>
        ((Dynptr*)dynptr)->Data == null ? 1ul : 0;

    private static ulong IsReadOnly(BpfRuntime* runtime, ulong dynptr, ulong r2, ulong r3, ulong r4, ulong r5) =>
        ((Dynptr*)dynptr)->Data != null && ((Dynptr*)dynptr)->IsReadOnly ? 1ul : 0;

    private static ulong Size(BpfRuntime* runtime, ulong dynptr, ulong r2, ulong r3, ulong r4, ulong r5) =>
        ((Dynptr*)dynptr)->Data == null ? Int(-Errno.EINVAL) : ((Dynptr*)dynptr)->Size;

    private static ulong Clone(BpfRuntime* runtime, ulong dynptr, ulong clone, ulong r3, ulong r4, ulong r5)
    {
        var isNull = ((Dynptr*)dynptr)->Data == null;
        *(Dynptr*)clone = isNull ? default : *(Dynptr*)dynptr;
        return Int(isNull ? -Errno.EINVAL : 0);
    }

    private static ulong Copy(
        BpfRuntime* runtime,
        ulong target,
        ulong targetOffset,
        ulong source,
        ulong sourceOffset,
        ulong length
    ) => Int(DynptrMemory.Copy((Dynptr*)target, (uint)targetOffset, (Dynptr*)source, (uint)sourceOffset, (uint)length));

    private static ulong Fill(BpfRuntime* runtime, ulong dynptr, ulong offset, ulong length, ulong value, ulong r5) =>
        Int(DynptrMemory.Fill((Dynptr*)dynptr, (uint)offset, (uint)length, (byte)value));

    private static ulong Int(int value) => (uint)value;
}
