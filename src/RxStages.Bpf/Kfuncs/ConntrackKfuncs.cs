using System.Collections.Immutable;
using RxStages.Bpf.Helpers;
using RxStages.Bpf.Network;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Kfuncs;

/// <summary>Kfuncs that keep track of connections.</summary>
internal static unsafe class ConntrackKfuncs
{
    private const string Connection = "nf_conn";
    private const string NewConnection = "nf_conn___init";
    private const string Source = "net/netfilter/nf_conntrack_bpf.c: ";

    // IPPROTO_TCP, IPPROTO_UDP
    private const byte Tcp = 6;
    private const byte Udp = 17;

    // NF_CT_DEFAULT_ZONE_DIR
    private const byte BothDirections = 3;

    // union nf_inet_addr
    private const int AddressSize = 16;

    // How long a connection lasts that nothing else was said of.
    private const uint DefaultMilliseconds = 10_000;

    private static readonly ImmutableArray<Argument> s_search =
    [
        ArgumentType.Context,
        new(ArgumentType.UpdatedMemory) { MayBeNull = true },
        ArgumentType.SizeOrZero,
        new(ArgumentType.UpdatedMemory) { MayBeNull = true },
        ArgumentType.SizeOrZero,
    ];

    internal static readonly ImmutableArray<KfuncDefinition> Definitions =
    [
        new(
            "bpf_xdp_ct_alloc",
            ReturnType.BtfPointerOrNull,
            s_search,
            Allocate,
            Source + "bpf_xdp_ct_alloc",
            "Makes a connection that is not known yet, to be inserted. Null, and the reason in the options: EINVAL, EPROTO, EAFNOSUPPORT, ENONET, ENOMEM."
        )
        {
            Acquires = true,
            ReturnBtfType = NewConnection,
            Difference =
                "The connections are the run's own: it knows none but those that programs insert, and at most 65,536 at a time.",
        },
        new(
            "bpf_xdp_ct_lookup",
            ReturnType.BtfPointerOrNull,
            s_search,
            LookUp,
            Source + "bpf_xdp_ct_lookup",
            "Finds a connection by the addresses and ports of either direction; to be released. Null, and the reason in the options: EINVAL, EPROTO, EAFNOSUPPORT, ENONET, ENOENT."
        )
        {
            Acquires = true,
            ReturnBtfType = Connection,
            Difference = "The connections are the run's own: it knows none but those that programs insert.",
        },
        new(
            "bpf_ct_insert_entry",
            ReturnType.BtfPointerOrNull,
            [new(ArgumentType.ReleasedBtfPointer) { BtfType = NewConnection }],
            Insert,
            Source + "bpf_ct_insert_entry",
            "Makes a new connection known; to be released. Null when there is one with its addresses and ports."
        )
        {
            Acquires = true,
            ReturnBtfType = Connection,
        },
        new(
            "bpf_ct_release",
            ReturnType.Void,
            [new(ArgumentType.ReleasedBtfPointer) { BtfType = Connection }],
            Release,
            Source + "bpf_ct_release",
            "Gives a connection back that was found or inserted."
        ),
        new(
            "bpf_ct_set_timeout",
            ReturnType.Void,
            [Argument.Structure(NewConnection), ArgumentType.Scalar],
            SetTimeout,
            Source + "bpf_ct_set_timeout",
            "Sets after how many milliseconds a new connection ends."
        ),
        new(
            "bpf_ct_change_timeout",
            ReturnType.Integer,
            [Argument.Structure(Connection), ArgumentType.Scalar],
            ChangeTimeout,
            Source + "bpf_ct_change_timeout",
            "Sets in how many milliseconds a connection ends. EPERM when its end is fixed, ETIME when it has ended."
        ),
        new(
            "bpf_ct_set_status",
            ReturnType.Integer,
            [Argument.Structure(NewConnection), ArgumentType.Scalar],
            ChangeStatus,
            Source + "bpf_ct_set_status",
            "Sets bits of a new connection's status (IPS_*). EBUSY for bits that programs cannot change."
        ),
        new(
            "bpf_ct_change_status",
            ReturnType.Integer,
            [Argument.Structure(Connection), ArgumentType.Scalar],
            ChangeStatus,
            Source + "bpf_ct_change_status",
            "Sets bits of a connection's status (IPS_*). EBUSY for bits that programs cannot change."
        ),
        new(
            "bpf_ct_set_nat_info",
            ReturnType.Integer,
            [
                Argument.Structure(NewConnection),
                Argument.ReadableBytes(AddressSize),
                ArgumentType.Scalar,
                ArgumentType.Scalar,
            ],
            SetNat,
            "net/netfilter/nf_nat_bpf.c: bpf_ct_set_nat_info",
            "Has a new connection's source (0) or destination (1) translated to an address, and to a port if it is above 0. ENOMEM when that was done before."
        )
        {
            Difference = "Where a port must be found the next free one is taken, not one at random.",
        },
    ];

    private static ulong Allocate(
        BpfRuntime* runtime,
        ulong context,
        ulong tuple,
        ulong tupleSize,
        ulong options,
        ulong optionsSize
    )
    {
        var query = new Query((byte*)tuple, (uint)tupleSize, (BpfCtOpts*)options, (uint)optionsSize);
        void* connection = null;
        if (query.CheckToAllocate() is var error && error == 0)
        {
            connection = NetworkEnvironment
                .Of(runtime)
                .Conntrack.Allocate(
                    query.Tuple,
                    query.Zone,
                    query.ZoneDirections,
                    ToJiffies(DefaultMilliseconds),
                    Now(runtime)
                );
            error = connection is null ? -Errno.ENOMEM : 0;
        }
        query.Report(error);
        return (ulong)connection;
    }

    private static ulong LookUp(
        BpfRuntime* runtime,
        ulong context,
        ulong tuple,
        ulong tupleSize,
        ulong options,
        ulong optionsSize
    )
    {
        var query = new Query((byte*)tuple, (uint)tupleSize, (BpfCtOpts*)options, (uint)optionsSize);
        void* connection = null;
        if (query.CheckToLookUp() is var error && error == 0)
        {
            connection = NetworkEnvironment
                .Of(runtime)
                .Conntrack.Find(query.Tuple, query.Zone, query.ZoneDirections, Now(runtime), out var direction);
            error = connection is null ? -Errno.ENOENT : 0;
            query.Found(connection is null ? null : direction);
        }
        query.Report(error);
        return (ulong)connection;
    }

    private static ulong Insert(BpfRuntime* runtime, ulong connection, ulong r2, ulong r3, ulong r4, ulong r5) =>
        NetworkEnvironment.Of(runtime).Conntrack.Insert((void*)connection, Now(runtime)) ? connection : 0;

    private static ulong Release(BpfRuntime* runtime, ulong connection, ulong r2, ulong r3, ulong r4, ulong r5)
    {
        NetworkEnvironment.Of(runtime).Conntrack.Release((void*)connection);
        return 0;
    }

    private static ulong SetTimeout(
        BpfRuntime* runtime,
        ulong connection,
        ulong milliseconds,
        ulong r3,
        ulong r4,
        ulong r5
    )
    {
        NetworkEnvironment
            .Of(runtime)
            .Conntrack.SetTimeout((void*)connection, ToJiffies((uint)milliseconds), Now(runtime));
        return 0;
    }

    private static ulong ChangeTimeout(
        BpfRuntime* runtime,
        ulong connection,
        ulong milliseconds,
        ulong r3,
        ulong r4,
        ulong r5
    ) =>
        (uint)
            NetworkEnvironment
                .Of(runtime)
                .Conntrack.ChangeTimeout((void*)connection, ToJiffies((uint)milliseconds), Now(runtime));

    private static ulong ChangeStatus(
        BpfRuntime* runtime,
        ulong connection,
        ulong status,
        ulong r3,
        ulong r4,
        ulong r5
    ) => (uint)NetworkEnvironment.Of(runtime).Conntrack.ChangeStatus((void*)connection, (ConntrackStatus)(uint)status);

    private static ulong SetNat(
        BpfRuntime* runtime,
        ulong connection,
        ulong addressPointer,
        ulong port,
        ulong manipulation,
        ulong r5
    )
    {
        var table = NetworkEnvironment.Of(runtime).Conntrack;
        var address = NetworkAddress.Read((void*)addressPointer, table.IsIpv6((void*)connection));
        var newPort = (int)port > 0 ? (ushort)port : (ushort)0;
        var isDone = table.SetNat((void*)connection, address, newPort, (uint)manipulation == 0, Now(runtime));
        return isDone ? 0 : unchecked((uint)-Errno.ENOMEM);
    }

    // nfct_time_stamp
    private static uint Now(BpfRuntime* runtime) => (uint)runtime->GetServices().Jiffies64();

    // msecs_to_jiffies, at 250 ticks a second: what is negative as an int is as long as can be.
    private static uint ToJiffies(uint milliseconds) => (int)milliseconds < 0 ? int.MaxValue : (milliseconds + 3) / 4;

    /// <summary>What a program looks for, as it says it.</summary>
    private ref struct Query(byte* tuple, uint tupleSize, BpfCtOpts* options, uint optionsSize)
    {
        public ConntrackTuple Tuple { get; private set; }

        public ushort Zone { get; private set; }

        public byte ZoneDirections { get; private set; } = BothDirections;

        /// <summary>0, or a negated error number.</summary>
        public int CheckToAllocate()
        {
            if (CheckOptions() is var error && error != 0)
            {
                return error;
            }
            return options->NetworkNamespace < -1 ? -Errno.EINVAL : Parse();
        }

        /// <summary>0, or a negated error number.</summary>
        public int CheckToLookUp()
        {
            if (CheckOptions() is var error && error != 0)
            {
                return error;
            }
            if (options->Protocol is not (Tcp or Udp))
            {
                return -Errno.EPROTO;
            }
            return options->NetworkNamespace < -1 ? -Errno.EINVAL : Parse();
        }

        public readonly void Found(ConntrackDirection? direction)
        {
            if (direction is { } found)
            {
                options->Direction = (byte)found;
            }
        }

        public readonly void Report(int error)
        {
            if (error != 0 && options is not null && optionsSize >= BpfCtOpts.ErrorEnd)
            {
                options->Error = error;
            }
        }

        private readonly int CheckOptions()
        {
            if (options is null || tuple is null || optionsSize is not (BpfCtOpts.Size or BpfCtOpts.OldSize))
            {
                return -Errno.EINVAL;
            }
            var isReservedUsed =
                optionsSize == BpfCtOpts.Size
                    ? (options->Reserved0 | options->Reserved1 | options->Reserved2) != 0
                    : options->Zone != 0;
            return isReservedUsed ? -Errno.EINVAL : 0;
        }

        private int Parse()
        {
            if (options->Protocol is not (Tcp or Udp))
            {
                return -Errno.EPROTO;
            }
            if (!BpfSockTuple.TryRead(tuple, tupleSize, out var ends))
            {
                return -Errno.EAFNOSUPPORT;
            }
            // There is one network namespace, which has no number.
            if (options->NetworkNamespace >= 0)
            {
                return -Errno.ENONET;
            }
            Tuple = new ConntrackTuple(ends.Source, ends.Destination, options->Protocol);
            if (optionsSize == BpfCtOpts.Size)
            {
                if (options->ZoneDirections == 0)
                {
                    options->ZoneDirections = BothDirections;
                }
                (Zone, ZoneDirections) = (options->Zone, options->ZoneDirections);
            }
            return 0;
        }
    }
}
