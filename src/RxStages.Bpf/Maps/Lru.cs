namespace RxStages.Bpf.Maps;

/// <summary>
/// Which element of an LRU map goes when room is needed, after kernel/bpf/bpf_lru_list.c: elements are active or inactive;
/// a look-up only marks its element, and the mark is seen when the lists are turned. With one thread the elements evicted
/// are the kernel's for the same sequence of operations on one CPU. Locks are taken in the order local stock, set, bucket.
/// </summary>
internal static unsafe class Lru
{
    /// <summary>Elements made free at once and looked at in one turn, in a common LRU (LOCAL_FREE_TARGET, LOCAL_NR_SCANS).</summary>
    internal const uint CommonBatch = 128;

    /// <summary>The same with an LRU per CPU (PERCPU_FREE_TARGET, PERCPU_NR_SCANS).</summary>
    internal const uint PerCpuBatch = 4;

    /// <summary>An element to use, by evicting others if need be; 0 if all others are just being put in use.</summary>
    internal static uint Take(HashHeader* map, int cpu) =>
        map->Lru.Locals is null ? TakePerCpu(map, cpu) : TakeCommon(map, cpu);

    /// <summary>Gives back an element that is not in the table (any more).</summary>
    internal static void Return(HashHeader* map, uint index)
    {
        var lru = &map->Lru;
        var node = lru->Nodes + index;
        if (lru->Locals is null)
        {
            ReturnToSet(map, lru->Sets + node->Cpu, index);
            return;
        }
        if (Volatile.Read(ref *(byte*)&node->List) == (byte)LruList.LocalPending)
        {
            var local = lru->Locals + node->Cpu;
            WordLock.Enter(&local->Lock);
            if (node->List == LruList.LocalPending)
            {
                node->List = LruList.LocalFree;
                *Referenced(map, index) = 0;
                Move(lru, index, local->Heads);
                WordLock.Exit(&local->Lock);
                return;
            }
            WordLock.Exit(&local->Lock);
        }
        ReturnToSet(map, lru->Sets, index);
    }

    /// <summary>The mark that an element was looked up.</summary>
    internal static uint* Referenced(HashHeader* map, uint index) =>
        (uint*)(LruStore.Element(&map->Pool, index) + LruStore.ReferencedOffset);

    private static uint TakeCommon(HashHeader* map, int cpu)
    {
        var lru = &map->Lru;
        var local = lru->Locals + cpu;
        WordLock.Enter(&local->Lock);
        var index = PopFree(lru, local);
        if (index == 0)
        {
            Refill(map, local);
            index = PopFree(lru, local);
        }
        if (index != 0)
        {
            AddPending(map, local, cpu, index);
        }
        WordLock.Exit(&local->Lock);
        return index != 0 ? index : Steal(map, local, cpu);
    }

    // Nothing is free anywhere: take from the stocks and from what was put in use last, of one CPU after the other.
    private static uint Steal(HashHeader* map, LruLocal* local, int cpu)
    {
        var lru = &map->Lru;
        var first = local->NextSteal;
        var from = first;
        uint index;
        do
        {
            var victim = lru->Locals + from;
            WordLock.Enter(&victim->Lock);
            index = PopFree(lru, victim);
            if (index == 0)
            {
                index = PopPending(map, victim);
            }
            WordLock.Exit(&victim->Lock);
            from = (from + 1) % map->Map.CpuCount;
        } while (index == 0 && from != first);
        local->NextSteal = from;
        if (index != 0)
        {
            WordLock.Enter(&local->Lock);
            AddPending(map, local, cpu, index);
            WordLock.Exit(&local->Lock);
        }
        return index;
    }

    private static void AddPending(HashHeader* map, LruLocal* local, int cpu, uint index)
    {
        var node = map->Lru.Nodes + index;
        node->Cpu = (ushort)cpu;
        node->List = LruList.LocalPending;
        *Referenced(map, index) = 0;
        Add(&map->Lru, index, local->Heads + 1);
    }

    private static uint PopFree(LruState* lru, LruLocal* local)
    {
        var index = lru->Nodes[local->Heads].Next;
        if (index == local->Heads)
        {
            return 0;
        }
        Unlink(lru, index);
        return index;
    }

    // The oldest pending element that was not looked up, else the oldest.
    private static uint PopPending(HashHeader* map, LruLocal* local)
    {
        var lru = &map->Lru;
        var head = local->Heads + 1;
        for (var force = false; ; force = true)
        {
            for (var index = lru->Nodes[head].Previous; index != head; index = lru->Nodes[index].Previous)
            {
                if ((force || *Referenced(map, index) == 0) && map->Evict(map, index))
                {
                    Unlink(lru, index);
                    return index;
                }
            }
            if (force)
            {
                return 0;
            }
        }
    }

    private static void Refill(HashHeader* map, LruLocal* local)
    {
        var lru = &map->Lru;
        var set = lru->Sets;
        WordLock.Enter(&set->Lock);
        FlushPending(map, set, local->Heads + 1);
        Turn(map, set);
        uint count = 0;
        for (var index = FirstFree(lru, set); index != 0; index = FirstFree(lru, set))
        {
            lru->Nodes[index].List = LruList.LocalFree;
            Move(lru, index, local->Heads);
            if (++count == lru->Target)
            {
                break;
            }
        }
        if (count < lru->Target)
        {
            Shrink(map, set, lru->Target - count, local->Heads, LruList.LocalFree);
        }
        WordLock.Exit(&set->Lock);
    }

    private static uint TakePerCpu(HashHeader* map, int cpu)
    {
        var lru = &map->Lru;
        var set = lru->Sets + cpu;
        WordLock.Enter(&set->Lock);
        Turn(map, set);
        var index = FirstFree(lru, set);
        if (index == 0)
        {
            Shrink(map, set, PerCpuBatch, set->Heads + (uint)LruList.Free, LruList.Free);
            index = FirstFree(lru, set);
        }
        if (index != 0)
        {
            lru->Nodes[index].Cpu = (ushort)cpu;
            MoveInSet(map, set, index, LruList.Inactive);
        }
        WordLock.Exit(&set->Lock);
        return index;
    }

    private static void ReturnToSet(HashHeader* map, LruSet* set, uint index)
    {
        WordLock.Enter(&set->Lock);
        MoveInSet(map, set, index, LruList.Free);
        WordLock.Exit(&set->Lock);
    }

    // The first free element of a set, still in its list.
    private static uint FirstFree(LruState* lru, LruSet* set)
    {
        var head = set->Heads + (uint)LruList.Free;
        var index = lru->Nodes[head].Next;
        if (index != head)
        {
            return index;
        }
        if (set->FirstUnused > set->LastUnused)
        {
            return 0;
        }
        index = set->FirstUnused++;
        lru->Nodes[index].List = LruList.Free;
        Add(lru, index, head);
        return index;
    }

    private static void FlushPending(HashHeader* map, LruSet* set, uint pending)
    {
        var lru = &map->Lru;
        uint previous;
        for (var index = lru->Nodes[pending].Previous; index != pending; index = previous)
        {
            previous = lru->Nodes[index].Previous;
            var list = *Referenced(map, index) != 0 ? LruList.Active : LruList.Inactive;
            Count(set, list, 1);
            lru->Nodes[index].List = list;
            *Referenced(map, index) = 0;
            Move(lru, index, set->Heads + (uint)list);
        }
    }

    private static void Turn(HashHeader* map, LruSet* set)
    {
        if (set->InactiveCount < set->ActiveCount)
        {
            TurnActive(map, set);
        }
        TurnInactive(map, set);
    }

    // From the active list's end: what was looked up stays and goes to the front, the rest becomes inactive.
    private static void TurnActive(HashHeader* map, LruSet* set)
    {
        var nodes = map->Lru.Nodes;
        var head = set->Heads + (uint)LruList.Active;
        var first = nodes[head].Next;
        var index = nodes[head].Previous;
        for (uint scanned = 0; index != head; )
        {
            var previous = nodes[index].Previous;
            MoveInSet(map, set, index, *Referenced(map, index) != 0 ? LruList.Active : LruList.Inactive);
            if (++scanned == map->Lru.Scans || index == first)
            {
                break;
            }
            index = previous;
        }
    }

    // From where the last turn ended: what was looked up becomes active, the rest stays where it is.
    private static void TurnInactive(HashHeader* map, LruSet* set)
    {
        var nodes = map->Lru.Nodes;
        var head = set->Heads + (uint)LruList.Inactive;
        if (nodes[head].Next == head)
        {
            return;
        }
        var last = nodes[set->NextInactive].Next;
        if (last == head)
        {
            last = nodes[last].Next;
        }
        var index = set->NextInactive;
        var next = index;
        for (uint scanned = 0; scanned < map->Lru.Scans; )
        {
            if (index == head)
            {
                index = nodes[index].Previous;
                continue;
            }
            next = nodes[index].Previous;
            if (*Referenced(map, index) != 0)
            {
                MoveInSet(map, set, index, LruList.Active);
            }
            if (index == last)
            {
                break;
            }
            index = next;
            scanned++;
        }
        set->NextInactive = next;
    }

    // Evicts inactive elements that were not looked up, from the list's end; if there are none, the last one all the same.
    private static void Shrink(HashHeader* map, LruSet* set, uint target, uint freeHead, LruList freeList)
    {
        var nodes = map->Lru.Nodes;
        var inactive = set->Heads + (uint)LruList.Inactive;
        uint freed = 0;
        uint scanned = 0;
        uint previous;
        for (var index = nodes[inactive].Previous; index != inactive; index = previous)
        {
            previous = nodes[index].Previous;
            if (*Referenced(map, index) != 0)
            {
                MoveInSet(map, set, index, LruList.Active);
            }
            else if (map->Evict(map, index))
            {
                MoveToFree(map, set, index, freeHead, freeList);
                if (++freed == target)
                {
                    break;
                }
            }
            if (++scanned == map->Lru.Scans)
            {
                break;
            }
        }
        if (freed != 0)
        {
            return;
        }
        var forced = nodes[inactive].Next != inactive ? inactive : set->Heads + (uint)LruList.Active;
        for (var index = nodes[forced].Previous; index != forced; index = nodes[index].Previous)
        {
            if (map->Evict(map, index))
            {
                MoveToFree(map, set, index, freeHead, freeList);
                return;
            }
        }
    }

    private static void MoveToFree(HashHeader* map, LruSet* set, uint index, uint freeHead, LruList freeList)
    {
        var lru = &map->Lru;
        if (index == set->NextInactive)
        {
            set->NextInactive = lru->Nodes[index].Previous;
        }
        Count(set, lru->Nodes[index].List, -1);
        lru->Nodes[index].List = freeList;
        Move(lru, index, freeHead);
    }

    private static void MoveInSet(HashHeader* map, LruSet* set, uint index, LruList list)
    {
        var lru = &map->Lru;
        Count(set, lru->Nodes[index].List, -1);
        Count(set, list, 1);
        lru->Nodes[index].List = list;
        *Referenced(map, index) = 0;
        if (index == set->NextInactive)
        {
            set->NextInactive = lru->Nodes[index].Previous;
        }
        Move(lru, index, set->Heads + (uint)list);
    }

    private static void Count(LruSet* set, LruList list, int change)
    {
        if (list == LruList.Active)
        {
            set->ActiveCount += (uint)change;
        }
        else if (list == LruList.Inactive)
        {
            set->InactiveCount += (uint)change;
        }
    }

    private static void Move(LruState* lru, uint index, uint head)
    {
        Unlink(lru, index);
        Add(lru, index, head);
    }

    // Adds at a list's front.
    private static void Add(LruState* lru, uint index, uint head)
    {
        var next = lru->Nodes[head].Next;
        lru->Nodes[index].Previous = head;
        lru->Nodes[index].Next = next;
        lru->Nodes[next].Previous = index;
        lru->Nodes[head].Next = index;
    }

    private static void Unlink(LruState* lru, uint index)
    {
        var node = lru->Nodes[index];
        lru->Nodes[node.Previous].Next = node.Next;
        lru->Nodes[node.Next].Previous = node.Previous;
    }
}
