using System.Runtime.InteropServices;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Network;

/// <summary>
/// Connections that programs keep track of, after <c>net/netfilter/nf_conntrack_core.c</c>: each is found by the addresses and
/// ports of either direction, ends when its time is over, and has the layout that programs know from the kernel's types.
/// Workers share the table; a lock guards it. Everything is in native memory that is taken at the start.
/// </summary>
internal sealed unsafe class ConntrackTable
{
    /// <summary>How many entries there are, as with the kernel's <c>nf_conntrack_max</c>.</summary>
    public const int DefaultCapacity = 1 << 16;

    // Entries that are looked at for their end with each new one, so that the table stays clean at a bounded cost.
    private const int Sweep = 8;

    // How many ports are tried for a connection whose ports are taken after translation.
    private const int PortAttempts = 128;

    private readonly NetworkMemory _entries;
    private readonly NetworkMemory _buckets;
    private readonly int _bucketMask;
    private readonly ConntrackLayout _layout;
    private readonly SipHashKey _key;
    private SpinLock _lock = new(enableThreadOwnerTracking: false);
    private int _free;
    private int _unused;
    private int _swept;

    /// <summary>Makes an empty table.</summary>
    /// <param name="key">What its hash is keyed by.</param>
    /// <param name="types">The kernel's types, or null.</param>
    /// <param name="capacity">How many entries it may have; a power of two.</param>
    public ConntrackTable(SipHashKey key, Btf? types, int capacity = DefaultCapacity)
    {
        _key = key;
        _layout = new ConntrackLayout(types);
        _entries = NetworkMemory.Allocate(capacity, sizeof(ConntrackEntry) + _layout.Size);
        // Nodes are twice the entries' index, plus the direction, plus one: 0 ends a list.
        _buckets = NetworkMemory.Allocate(1, 2 * capacity * sizeof(int));
        _bucketMask = (2 * capacity) - 1;
    }

    /// <summary>How many bytes programs may access from an address on; 0 if it is not an entry's.</summary>
    public int ReadableBytes(nint address)
    {
        var index = _entries.IndexOf((void*)address);
        if (index < 0)
        {
            return 0;
        }
        var start = (nint)(Entry(index) + 1);
        return address < start ? 0 : Math.Max(0, (int)(start + _layout.Size - address));
    }

    /// <summary>True when all of the bytes are an entry's mark.</summary>
    public bool IsMark(nint address, int size)
    {
        var index = _entries.IndexOf((void*)address);
        return index >= 0 && _layout.IsMark((int)(address - (nint)(Entry(index) + 1)), size);
    }

    /// <summary>Makes an entry that lookups do not find yet (<c>nf_conntrack_alloc</c>), held by the caller.</summary>
    /// <returns>Its <c>struct nf_conn</c>; null when all entries are in use.</returns>
    public void* Allocate(in ConntrackTuple original, ushort zone, byte zoneDirections, uint timeout, uint now)
    {
        Enter();
        SweepSome(now);
        var index = TakeFree();
        if (index < 0)
        {
            Exit();
            return null;
        }
        var entry = Entry(index);
        *entry = new ConntrackEntry
        {
            References = 1,
            Timeout = timeout,
            Zone = zone,
            ZoneDirections = zoneDirections,
            Original = original,
            Reply = original.Inverse,
        };
        _layout.Clear(entry);
        _layout.Show(entry);
        Exit();
        return entry + 1;
    }

    /// <summary>Finds a connection by the tuple of either direction (<c>nf_conntrack_find_get</c>); the caller holds it then.</summary>
    /// <returns>Its <c>struct nf_conn</c>, or null.</returns>
    public void* Find(
        in ConntrackTuple tuple,
        ushort zone,
        byte zoneDirections,
        uint now,
        out ConntrackDirection direction
    )
    {
        Enter();
        var node = FindNode(tuple, zone, zoneDirections, now);
        var entry = node == 0 ? null : Entry(IndexOf(node));
        direction = DirectionOf(node);
        if (entry is not null)
        {
            entry->References++;
            _layout.Show(entry);
        }
        Exit();
        return entry is null ? null : entry + 1;
    }

    /// <summary>
    /// Makes an entry known to lookups (<c>bpf_ct_insert_entry</c>). If another has one of its tuples it fails, and the entry
    /// is freed.
    /// </summary>
    public bool Insert(void* connection, uint now)
    {
        if (EntryOf(connection) is var entry && entry is null)
        {
            return false;
        }
        Enter();
        if ((entry->Status & ConntrackStatus.Confirmed) == ConntrackStatus.None)
        {
            entry->Timeout += now;
        }
        var isNew =
            !entry->IsInserted
            && FindNode(entry->Original, entry->Zone, entry->ZoneDirections, now) == 0
            && FindNode(entry->Reply, entry->Zone, entry->ZoneDirections, now) == 0;
        if (isNew)
        {
            entry->Status |= ConntrackStatus.Confirmed;
            entry->IsInserted = true;
            entry->References++;
            Link(entry, ConntrackDirection.Original);
            Link(entry, ConntrackDirection.Reply);
            _layout.Show(entry);
        }
        else
        {
            Drop(entry);
        }
        Exit();
        return isNew;
    }

    /// <summary>Gives an entry back that the caller holds.</summary>
    public void Release(void* connection)
    {
        if (EntryOf(connection) is var entry && entry is not null)
        {
            Enter();
            Drop(entry);
            Exit();
        }
    }

    /// <summary>Sets when a connection ends (<c>__nf_ct_change_timeout</c>).</summary>
    /// <returns>0, -EPERM when it is fixed, -ETIME when it has ended.</returns>
    public int ChangeTimeout(void* connection, uint jiffies, uint now)
    {
        if (EntryOf(connection) is var entry && entry is null)
        {
            return -Errno.EINVAL;
        }
        Enter();
        var isFixed = (entry->Status & ConntrackStatus.FixedTimeout) != ConntrackStatus.None;
        if (!isFixed)
        {
            SetTimeout(entry, jiffies, now);
        }
        var isDying = (entry->Status & ConntrackStatus.Dying) != ConntrackStatus.None;
        Exit();
        return isFixed ? -Errno.EPERM
            : isDying ? -Errno.ETIME
            : 0;
    }

    /// <summary>Sets how long a connection lasts that is not inserted yet (<c>__nf_ct_set_timeout</c>).</summary>
    public void SetTimeout(void* connection, uint jiffies, uint now)
    {
        if (EntryOf(connection) is var entry && entry is not null)
        {
            Enter();
            SetTimeout(entry, jiffies, now);
            Exit();
        }
    }

    /// <summary>Sets bits of the status (<c>nf_ct_change_status_common</c>).</summary>
    /// <returns>0, or -EBUSY for a change that is not allowed.</returns>
    public int ChangeStatus(void* connection, ConntrackStatus status)
    {
        const ConntrackStatus Kept = ConntrackStatus.Expected | ConntrackStatus.Confirmed | ConntrackStatus.Dying;
        const ConntrackStatus OnlySet = ConntrackStatus.SeenReply | ConntrackStatus.Assured;
        if (EntryOf(connection) is var entry && entry is null)
        {
            return -Errno.EINVAL;
        }
        Enter();
        var difference = entry->Status ^ status;
        var isAllowed =
            (difference & Kept) == ConntrackStatus.None && (difference & OnlySet & ~status) == ConntrackStatus.None;
        if (isAllowed)
        {
            entry->Status |= status & ConntrackStatus.All & ~ConntrackStatus.Unchangeable;
            _layout.Show(entry);
        }
        Exit();
        return isAllowed ? 0 : -Errno.EBUSY;
    }

    /// <summary>Has a connection translated: the source of its packets, or their destination (<c>nf_nat_setup_info</c>).</summary>
    /// <param name="connection">A connection that is not inserted yet.</param>
    /// <param name="address">The address in place of its own, of the same family.</param>
    /// <param name="port">The port in place of its own; 0 keeps that, or takes another where the result is taken.</param>
    /// <param name="isSource">Whether it is the source.</param>
    /// <param name="now">The time, in jiffies.</param>
    /// <returns>False when it was done before.</returns>
    public bool SetNat(void* connection, NetworkAddress address, ushort port, bool isSource, uint now)
    {
        if (EntryOf(connection) is var entry && entry is null)
        {
            return false;
        }
        var done = isSource ? ConntrackStatus.SourceNatDone : ConntrackStatus.DestinationNatDone;
        Enter();
        if (
            (entry->Status & ConntrackStatus.Confirmed) != ConntrackStatus.None
            || (entry->Status & done) != ConntrackStatus.None
        )
        {
            var isConfirmed = (entry->Status & ConntrackStatus.Confirmed) != ConntrackStatus.None;
            Exit();
            return isConfirmed;
        }
        var before = entry->Reply.Inverse;
        var after = Translated(
            before,
            address,
            port != 0 ? port : (isSource ? before.Source : before.Destination).Port,
            isSource
        );
        for (var i = 0; port == 0 && i < PortAttempts && IsTaken(entry, after, now); i++)
        {
            var end = isSource ? after.Source : after.Destination;
            after = Translated(before, address, NextPort(end.Port), isSource);
        }
        if (after != before)
        {
            entry->Reply = after.Inverse;
            entry->Status |= isSource ? ConntrackStatus.SourceNat : ConntrackStatus.DestinationNat;
        }
        entry->Status |= done;
        _layout.Show(entry);
        Exit();
        return true;
    }

    /// <summary>The family of a connection's addresses.</summary>
    public bool IsIpv6(void* connection) =>
        EntryOf(connection) is var entry && entry is not null && entry->Original.Source.Address.IsIpv6;

    private static ConntrackTuple Translated(
        in ConntrackTuple tuple,
        NetworkAddress address,
        ushort port,
        bool isSource
    ) => isSource ? tuple with { Source = new(address, port) } : tuple with { Destination = new(address, port) };

    // Ports stay among those of their kind: below 512, below 1024, or above.
    private static ushort NextPort(ushort port) =>
        port switch
        {
            511 => 1,
            1023 => 600,
            ushort.MaxValue => 1024,
            _ => (ushort)(port + 1),
        };

    // nf_nat_used_tuple
    private bool IsTaken(ConntrackEntry* entry, in ConntrackTuple tuple, uint now) =>
        FindNode(tuple.Inverse, entry->Zone, entry->ZoneDirections, now) != 0;

    private void SetTimeout(ConntrackEntry* entry, uint jiffies, uint now)
    {
        jiffies = Math.Min(jiffies, int.MaxValue);
        entry->Timeout = (entry->Status & ConntrackStatus.Confirmed) != ConntrackStatus.None ? now + jiffies : jiffies;
        _layout.Show(entry);
    }

    private static bool IsExpired(ConntrackEntry* entry, uint now) => (int)(entry->Timeout - now) <= 0;

    private ConntrackEntry* Entry(int index) => (ConntrackEntry*)_entries[index];

    // Programs hold only what they were given; anything else is none of the table's.
    private ConntrackEntry* EntryOf(void* connection)
    {
        var index = _entries.IndexOf(connection);
        var entry = index < 0 ? null : Entry(index);
        return entry is not null && connection == entry + 1 && entry->References > 0 ? entry : null;
    }

    private int FindNode(in ConntrackTuple tuple, ushort zone, byte zoneDirections, uint now)
    {
        var node = *Bucket(tuple);
        while (node != 0)
        {
            var entry = Entry(IndexOf(node));
            var direction = DirectionOf(node);
            var next = *NextOf(entry, direction);
            if (IsExpired(entry, now))
            {
                // The other direction's node may be the next one.
                next = IndexOf(next) == IndexOf(node) && next != 0 ? *NextOf(entry, DirectionOf(next)) : next;
                Unlink(entry);
            }
            else if (
                (direction == ConntrackDirection.Original ? entry->Original : entry->Reply) == tuple
                && entry->ZoneOf(direction) == ((zoneDirections & (1 << (int)direction)) != 0 ? zone : 0)
            )
            {
                return node;
            }
            node = next;
        }
        return 0;
    }

    private void Link(ConntrackEntry* entry, ConntrackDirection direction)
    {
        var bucket = Bucket(direction == ConntrackDirection.Original ? entry->Original : entry->Reply);
        *NextOf(entry, direction) = *bucket;
        *bucket = NodeOf(entry, direction);
    }

    // Takes the entry out of the table, which no longer holds it.
    private void Unlink(ConntrackEntry* entry)
    {
        Unlink(entry, ConntrackDirection.Original);
        Unlink(entry, ConntrackDirection.Reply);
        entry->IsInserted = false;
        entry->Status |= ConntrackStatus.Dying;
        Drop(entry);
    }

    private void Unlink(ConntrackEntry* entry, ConntrackDirection direction)
    {
        var node = NodeOf(entry, direction);
        var place = Bucket(direction == ConntrackDirection.Original ? entry->Original : entry->Reply);
        while (*place != node)
        {
            place = NextOf(Entry(IndexOf(*place)), DirectionOf(*place));
        }
        *place = *NextOf(entry, direction);
    }

    private void Drop(ConntrackEntry* entry)
    {
        if (--entry->References == 0)
        {
            entry->NextOriginal = _free;
            _free = _entries.IndexOf(entry) + 1;
        }
        else
        {
            _layout.Show(entry);
        }
    }

    private int TakeFree()
    {
        if (_free == 0)
        {
            return _unused < _entries.Count ? _unused++ : -1;
        }
        var index = _free - 1;
        _free = Entry(index)->NextOriginal;
        return index;
    }

    private void SweepSome(uint now)
    {
        for (var i = 0; i < Math.Min(Sweep, _unused); i++)
        {
            _swept = _swept + 1 < _unused ? _swept + 1 : 0;
            var entry = Entry(_swept);
            if (entry->IsInserted && IsExpired(entry, now))
            {
                Unlink(entry);
            }
        }
    }

    private int* Bucket(in ConntrackTuple tuple)
    {
        Span<ulong> words =
        [
            (ulong)(tuple.Source.Address.Bits >> 64),
            (ulong)tuple.Source.Address.Bits,
            (ulong)(tuple.Destination.Address.Bits >> 64),
            (ulong)tuple.Destination.Address.Bits,
            ((ulong)tuple.Source.Port << 32) | ((ulong)tuple.Destination.Port << 16) | tuple.Protocol,
        ];
        return (int*)_buckets[0] + (SipHash.Compute(_key, words) & (uint)_bucketMask);
    }

    private int NodeOf(ConntrackEntry* entry, ConntrackDirection direction) =>
        (2 * _entries.IndexOf(entry)) + (int)direction + 1;

    private static int IndexOf(int node) => (node - 1) >> 1;

    private static ConntrackDirection DirectionOf(int node) => (ConntrackDirection)((node - 1) & 1);

    private static int* NextOf(ConntrackEntry* entry, ConntrackDirection direction) =>
        direction == ConntrackDirection.Original ? &entry->NextOriginal : &entry->NextReply;

    private void Enter()
    {
        var isTaken = false;
        _lock.Enter(ref isTaken);
    }

    private void Exit() => _lock.Exit(useMemoryBarrier: true);
}
