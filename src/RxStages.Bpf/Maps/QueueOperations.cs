using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>The native part of a queue or stack: a ring of values.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct QueueHeader
{
    internal MapHeader Map;
    internal byte* Values;

    /// <summary>Where the oldest value is.</summary>
    internal uint First;

    /// <summary>How many values there are.</summary>
    internal uint Count;
    internal int Lock;
}

/// <summary>Hot path of queues and stacks (kernel/bpf/queue_stack_maps.c).</summary>
internal readonly unsafe struct QueueOperations : IMapOperations
{
    public static byte* LookupElement(MapHeader* map, BpfRuntime* runtime, byte* key) => null;

    public static long UpdateElement(MapHeader* map, BpfRuntime* runtime, byte* key, byte* value, ulong flags) =>
        -Errno.EINVAL;

    public static long DeleteElement(MapHeader* map, BpfRuntime* runtime, byte* key) => -Errno.EINVAL;

    public static long Redirect(MapHeader* map, BpfRuntime* runtime, ulong key, ulong flags) => (long)XdpAction.Aborted;

    /// <summary><c>bpf_map_push_elem</c>: BPF_EXIST makes room in a full map by dropping the oldest value.</summary>
    internal static long Push(QueueHeader* queue, byte* value, ulong flags)
    {
        if (flags is not (UpdateFlags.Any or UpdateFlags.Exist))
        {
            return -Errno.EINVAL;
        }
        long error = 0;
        WordLock.Enter(&queue->Lock);
        if (queue->Count == queue->Map.MaxEntries)
        {
            if (flags == UpdateFlags.Exist)
            {
                Drop(queue);
            }
            else
            {
                error = -Errno.E2BIG;
            }
        }
        if (error == 0)
        {
            Unsafe.CopyBlockUnaligned(Value(queue, queue->Count), value, queue->Map.ValueSize);
            queue->Count++;
        }
        WordLock.Exit(&queue->Lock);
        return error;
    }

    /// <summary><c>bpf_map_peek_elem</c>, <c>bpf_map_pop_elem</c>: the oldest value of a queue, the newest of a stack; zeros if there is none.</summary>
    internal static long Get(QueueHeader* queue, byte* value, bool delete)
    {
        long error = 0;
        WordLock.Enter(&queue->Lock);
        if (queue->Count == 0)
        {
            Unsafe.InitBlockUnaligned(value, 0, queue->Map.ValueSize);
            error = -Errno.ENOENT;
        }
        else
        {
            var isQueue = queue->Map.Type == MapType.Queue;
            Unsafe.CopyBlockUnaligned(value, Value(queue, isQueue ? 0 : queue->Count - 1), queue->Map.ValueSize);
            if (delete && isQueue)
            {
                Drop(queue);
            }
            else if (delete)
            {
                queue->Count--;
            }
        }
        WordLock.Exit(&queue->Lock);
        return error;
    }

    /// <summary>Where a value is, counted from the oldest.</summary>
    internal static byte* Value(QueueHeader* queue, uint place) =>
        queue->Values + ((((ulong)queue->First + place) % queue->Map.MaxEntries) * queue->Map.ValueSize);

    private static void Drop(QueueHeader* queue)
    {
        queue->First = queue->First + 1 == queue->Map.MaxEntries ? 0 : queue->First + 1;
        queue->Count--;
    }
}
