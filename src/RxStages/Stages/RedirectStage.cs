using System.Numerics;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Runtime;
using RxStages.Packets;
using RxStages.Ports;
using RxStages.Telemetry;

namespace RxStages.Stages;

/// <summary>
/// Stage 6: hands each packet of the redirect vector to its target, in bulk per target and in order. A broadcast goes to all
/// interfaces of its devmap: copies to all but the last, which gets the packet itself, as in the kernel's
/// <c>dev_map_enqueue_multi</c>.
/// </summary>
internal sealed unsafe class RedirectStage : IDisposable
{
    private readonly Counters* _counters;
    private readonly Dictionary<ulong, RedirectQueue> _queueByTarget = [];
    private readonly RedirectQueue? _default;
    private readonly RedirectQueue[] _queues;
    private readonly RedirectQueue[] _active;
    private readonly DevmapEntries _entries = new();
    private readonly EntryProgramStage _entryPrograms;
    private int _activeCount;
    private ulong _lastTarget;
    private RedirectQueue? _lastQueue;

    public RedirectStage(RedirectTable table, FramePool pool, BpfRuntime* runtime, Counters* counters)
    {
        _counters = counters;
        _entryPrograms = new EntryProgramStage(runtime, counters);
        var queues = new Dictionary<IPacketConsumer, RedirectQueue>(ReferenceEqualityComparer.Instance);
        foreach (var (target, consumer) in table.Targets)
        {
            _queueByTarget.Add(Key(target.Kind, target.Value), QueueOf(consumer));
        }
        _default = table.Default is null ? null : QueueOf(table.Default);
        _queues = [.. queues.Values];
        _active = new RedirectQueue[_queues.Length];

        RedirectQueue QueueOf(IPacketConsumer consumer) =>
            queues.TryGetValue(consumer, out var queue)
                ? queue
                : queues[consumer] = new RedirectQueue(consumer, pool, counters);
    }

    /// <summary>Hands the vector over.</summary>
    /// <param name="vector">The packets with verdict <see cref="XdpAction.Redirect"/>.</param>
    /// <param name="outcome">Gets the losses and the frames kept.</param>
    public void Run(PacketVector* vector, VectorOutcome* outcome)
    {
        _entries.Forget();
        vector = _entryPrograms.Run(vector, outcome);
        for (var i = 0; i < vector->Count; i++)
        {
            var packet = vector->Packets[i];
            var position = vector->Positions[i];
            if (packet->Redirect.Kind == RedirectKind.Broadcast)
            {
                Broadcast(packet, position, outcome);
            }
            else if (Find(packet->Redirect.Kind, packet->Redirect.Value) is { } queue)
            {
                outcome->HasTarget |= 1UL << position;
                Activate(queue).Add(packet, position, outcome);
            }
        }
        for (var i = 0; i < _activeCount; i++)
        {
            _active[i].HandOver(outcome);
        }
        Count(vector, outcome);
    }

    /// <summary>Has the consumers send off what they were handed since the last time.</summary>
    public void Flush()
    {
        for (var i = 0; i < _activeCount; i++)
        {
            _active[i].Flush();
        }
        _activeCount = 0;
    }

    /// <summary>Has the consumers give back frames that they kept.</summary>
    public void Reclaim()
    {
        foreach (var queue in _queues)
        {
            queue.Reclaim();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var queue in _queues)
        {
            queue.Dispose();
        }
        _entries.Dispose();
        _entryPrograms.Dispose();
    }

    private static ulong Key(RedirectKind kind, uint value) => ((ulong)kind << 32) | value;

    private RedirectQueue? Find(RedirectKind kind, uint value)
    {
        if (kind == RedirectKind.None)
        {
            return null;
        }
        var target = Key(kind, value);
        if (target != _lastTarget)
        {
            _lastQueue = _queueByTarget.GetValueOrDefault(target) ?? _default;
            _lastTarget = target;
        }
        return _lastQueue;
    }

    private RedirectQueue Activate(RedirectQueue queue)
    {
        if (!queue.IsActive)
        {
            queue.IsActive = true;
            _active[_activeCount++] = queue;
        }
        return queue;
    }

    private void Broadcast(XdpBuff* packet, int position, VectorOutcome* outcome)
    {
        var excluded = (packet->Redirect.Flags & RedirectFlags.ExcludeIngress) != 0 ? packet->IngressIfindex : 0;
        RedirectQueue? last = null;
        DevmapTarget lastEntry = default;
        foreach (var entry in _entries.Of((MapHeader*)packet->Redirect.Map))
        {
            if (entry.Interface != excluded && Find(RedirectKind.Interface, entry.Interface) is { } queue)
            {
                last?.AddCopy(packet, position, lastEntry, _entryPrograms, outcome);
                last = Activate(queue);
                lastEntry = entry;
            }
        }
        if (last is null)
        {
            return;
        }
        outcome->HasTarget |= 1UL << position;
        if (_entryPrograms.Passes(packet, lastEntry))
        {
            last.Add(packet, position, outcome);
        }
        else
        {
            outcome->Stopped |= 1UL << position;
        }
    }

    private void Count(PacketVector* vector, VectorOutcome* outcome)
    {
        var redirected = BitOperations.PopCount(outcome->Redirected);
        var withTarget = BitOperations.PopCount(outcome->HasTarget);
        var stopped = BitOperations.PopCount(outcome->Stopped & ~outcome->Redirected);
        _counters->Fate[(int)Fate.Redirected] += redirected;
        _counters->Fate[(int)Fate.DroppedAtTarget] += stopped;
        _counters->Fate[(int)Fate.RedirectRingFull] += withTarget - redirected - stopped;
        _counters->Fate[(int)Fate.NoRedirectTarget] += vector->Count - withTarget;
        if (redirected == vector->Count)
        {
            return;
        }
        for (var i = 0; i < vector->Count; i++)
        {
            var bit = 1UL << vector->Positions[i];
            if ((outcome->Redirected & bit) == 0)
            {
                outcome->Fates[vector->Positions[i]] =
                    (outcome->Stopped & bit) != 0 ? Fate.DroppedAtTarget
                    : (outcome->HasTarget & bit) != 0 ? Fate.RedirectRingFull
                    : Fate.NoRedirectTarget;
            }
        }
    }
}
