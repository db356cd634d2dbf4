using System.Collections.Immutable;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>Helpers that write records to ring buffers.</summary>
internal static unsafe class RingbufHelpers
{
    private const string NoWakeup = "The reader polls: flags about waking it are checked and have no effect.";

    private static readonly Argument Released = new(ArgumentType.ReleasedDynptr) { Dynptr = DynptrKinds.Ringbuf };

    internal static readonly ImmutableArray<HelperDefinition> Definitions =
    [
        new(
            130,
            "ringbuf_output",
            ReturnType.Integer,
            [ArgumentType.ConstMapPointer, ArgumentType.ReadableMemory, ArgumentType.SizeOrZero, ArgumentType.Anything],
            Output,
            "kernel/bpf/ringbuf.c: bpf_ringbuf_output",
            "Copies a record into a ring buffer; EAGAIN where there is no room."
        )
        {
            Difference = NoWakeup,
        },
        new(
            131,
            "ringbuf_reserve",
            ReturnType.RingbufMemoryOrNull,
            [ArgumentType.ConstMapPointer, ArgumentType.ConstAllocSize, ArgumentType.Anything],
            Reserve,
            "kernel/bpf/ringbuf.c: bpf_ringbuf_reserve",
            "Reserves a record in a ring buffer, to be filled and submitted or discarded; null where there is no room."
        )
        {
            Acquires = true,
        },
        new(
            132,
            "ringbuf_submit",
            ReturnType.Void,
            [ArgumentType.RingbufMemory, ArgumentType.Anything],
            Submit,
            "kernel/bpf/ringbuf.c: bpf_ringbuf_submit",
            "Hands a reserved record to the reader."
        )
        {
            Difference = NoWakeup,
        },
        new(
            133,
            "ringbuf_discard",
            ReturnType.Void,
            [ArgumentType.RingbufMemory, ArgumentType.Anything],
            Discard,
            "kernel/bpf/ringbuf.c: bpf_ringbuf_discard",
            "Gives a reserved record up; the reader passes over it."
        )
        {
            Difference = NoWakeup,
        },
        new(
            134,
            "ringbuf_query",
            ReturnType.Integer,
            [ArgumentType.ConstMapPointer, ArgumentType.Anything],
            Query,
            "kernel/bpf/ringbuf.c: bpf_ringbuf_query",
            "How many bytes a ring buffer holds unread, its size, or its consumer's or producers' position."
        ),
        new(
            198,
            "ringbuf_reserve_dynptr",
            ReturnType.Integer,
            [
                ArgumentType.ConstMapPointer,
                ArgumentType.Anything,
                ArgumentType.Anything,
                new Argument(ArgumentType.UninitializedDynptr) { Dynptr = DynptrKinds.Ringbuf },
            ],
            ReserveDynptr,
            "kernel/bpf/ringbuf.c: bpf_ringbuf_reserve_dynptr",
            "Reserves a record of any size and makes a dynptr of it, null where there is no room; to be submitted or discarded in any case."
        ),
        new(
            199,
            "ringbuf_submit_dynptr",
            ReturnType.Void,
            [Released, ArgumentType.Anything],
            SubmitDynptr,
            "kernel/bpf/ringbuf.c: bpf_ringbuf_submit_dynptr",
            "Hands a dynptr's record to the reader; nothing if it is null."
        )
        {
            Difference = NoWakeup,
        },
        new(
            200,
            "ringbuf_discard_dynptr",
            ReturnType.Void,
            [Released, ArgumentType.Anything],
            DiscardDynptr,
            "kernel/bpf/ringbuf.c: bpf_ringbuf_discard_dynptr",
            "Gives a dynptr's record up; nothing if it is null."
        )
        {
            Difference = NoWakeup,
        },
    ];

    private static ulong Output(BpfRuntime* runtime, ulong map, ulong data, ulong size, ulong flags, ulong r5) =>
        (ulong)RingbufOperations.Output((RingbufHeader*)map, (byte*)data, size, flags);

    private static ulong Reserve(BpfRuntime* runtime, ulong map, ulong size, ulong flags, ulong r4, ulong r5) =>
        flags != 0 ? 0 : (ulong)RingbufOperations.Reserve((RingbufHeader*)map, size);

    private static ulong Submit(BpfRuntime* runtime, ulong record, ulong flags, ulong r3, ulong r4, ulong r5)
    {
        RingbufOperations.Commit((byte*)record, discard: false);
        return 0;
    }

    private static ulong Discard(BpfRuntime* runtime, ulong record, ulong flags, ulong r3, ulong r4, ulong r5)
    {
        RingbufOperations.Commit((byte*)record, discard: true);
        return 0;
    }

    private static ulong Query(BpfRuntime* runtime, ulong map, ulong what, ulong r3, ulong r4, ulong r5) =>
        RingbufOperations.Query((RingbufHeader*)map, what);

    // The size is 32 bits wide in the kernel.
    private static ulong ReserveDynptr(BpfRuntime* runtime, ulong map, ulong size, ulong flags, ulong dynptr, ulong r5)
    {
        *(Dynptr*)dynptr = default;
        if (flags != 0)
        {
            return unchecked((ulong)-Errno.EINVAL);
        }
        if ((uint)size > Dynptr.MaxSize)
        {
            return unchecked((ulong)-Errno.E2BIG);
        }
        var record = RingbufOperations.Reserve((RingbufHeader*)map, (uint)size);
        if (record is null)
        {
            return unchecked((ulong)-Errno.EINVAL);
        }
        *(Dynptr*)dynptr = new Dynptr(record, DynptrType.Ringbuf, offset: 0, (uint)size);
        return 0;
    }

    private static ulong SubmitDynptr(BpfRuntime* runtime, ulong dynptr, ulong flags, ulong r3, ulong r4, ulong r5) =>
        Release((Dynptr*)dynptr, discard: false);

    private static ulong DiscardDynptr(BpfRuntime* runtime, ulong dynptr, ulong flags, ulong r3, ulong r4, ulong r5) =>
        Release((Dynptr*)dynptr, discard: true);

    private static ulong Release(Dynptr* dynptr, bool discard)
    {
        if (dynptr->Data is not null)
        {
            RingbufOperations.Commit((byte*)dynptr->Data, discard);
            *dynptr = default;
        }
        return 0;
    }
}
