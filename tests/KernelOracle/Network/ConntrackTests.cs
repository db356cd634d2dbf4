using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using RxStages.Bpf.Network;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Programs;
using RxStages.KernelOracle.Tests.Helpers;

namespace RxStages.KernelOracle.Tests.Network;

/// <summary>Connections that programs keep track of, in a namespace of each case's own.</summary>
public class ConntrackTests
{
    // Where a case has its tuples and its options.
    private const int Ipv4 = 0;
    private const int Ipv4Back = 16;
    private const int Ipv6 = 32;
    private const int Options = 80;
    private const int Address = 112;
    private const int Output = 128;

    private const byte Tcp = 6;
    private const byte Udp = 17;

    private static readonly Lazy<Btf> s_types = new(() => TargetKernel.Running.Types!);

    private static int s_labels;

    [Fact]
    public void LookupsAnswerAsTheKernels() =>
        Compare([
            .. from size in new[] { 0, 11, 12, 36, 40 }
            from optionsSize in new[] { 8, 11, 12, 16, 20 }
            from kfunc in new[] { "bpf_xdp_ct_lookup", "bpf_xdp_ct_alloc" }
            select Case($"{kfunc}, sizes {size} and {optionsSize}", Search(kfunc, Ipv4, size, optionsSize)),
            .. from options in new[]
            {
                MakeOptions(-2, Tcp),
                MakeOptions(0, Tcp),
                MakeOptions(5, Udp),
                MakeOptions(int.MinValue, 1),
                MakeOptions(-1, 0),
                MakeOptions(-1, 1),
                MakeOptions(-1, Udp),
                MakeOptions(-1, Tcp, zone: 7),
                MakeOptions(-1, Tcp, zone: 7, directions: 1),
                MakeOptions(-1, Tcp, reserved: 1),
                MakeOptions(-1, 1, reserved: 0x10000),
            }
            from optionsSize in new[] { 12, 16 }
            from size in new[] { 5, 12 }
            from kfunc in new[] { "bpf_xdp_ct_lookup", "bpf_xdp_ct_alloc" }
            select Case(
                $"{kfunc}, options {Convert.ToHexString(options)}, sizes {size} and {optionsSize}",
                Search(kfunc, Ipv4, size, optionsSize),
                options
            ),
        ]);

    [Fact]
    public void ConnectionsAreFoundFromBothSides() =>
        Compare([
            .. from protocol in new[] { Tcp, Udp }
            from zone in new ushort[] { 0, 9 }
            from directions in new byte[] { 0, 1, 2, 3 }
            select Case(
                $"protocol {protocol}, zone {zone} of {directions}",
                Alloc(
                    Ipv4,
                    12,
                    Insert(ReadConnection(Output) + Release),
                    Search("bpf_xdp_ct_lookup", Ipv4, 12, 16),
                    Search("bpf_xdp_ct_lookup", Ipv4Back, 12, 16),
                    $"*(u16 *)(r7 + {Options + 10}) = 0",
                    Search("bpf_xdp_ct_lookup", Ipv4, 12, 16),
                    Search("bpf_xdp_ct_lookup", Ipv4Back, 12, 16),
                    Search("bpf_xdp_ct_lookup", Ipv6, 36, 16)
                ),
                MakeOptions(-1, protocol, zone, directions)
            ),
            Case(
                "IPv6",
                Alloc(
                    Ipv6,
                    36,
                    ReadConnection(Output),
                    Insert(ReadConnection(Output + 100) + Release),
                    Search("bpf_xdp_ct_lookup", Ipv6, 36, 16)
                )
            ),
            Case(
                "inserted twice",
                Alloc(Ipv4, 12, Insert(Release), Alloc(Ipv4, 12, Insert("r0 = 77\nrecord\nr0 = r9\n" + Release)))
            ),
            Case(
                "inserted twice, back",
                Alloc(Ipv4, 12, Insert(Release), Alloc(Ipv4Back, 12, Insert("r0 = 77\nrecord\nr0 = r9\n" + Release)))
            ),
        ]);

    [Fact]
    public void StatusAndTimeoutChangeAsInTheKernel() =>
        Compare([
            .. from status in new uint[] { 0, 1, 2, 6, 8, 0x3f0, 0x400, 0xf80e, uint.MaxValue }
            from second in new uint[] { 0, 10, 0x40e }
            select Case(
                $"status {status:x}, then {second:x}",
                Alloc(
                    Ipv4,
                    12,
                    Call("bpf_ct_set_status", "r9", (int)status),
                    Load(Output, Offset("status"), 8),
                    Call("bpf_ct_set_timeout", "r9", 0),
                    Call("bpf_ct_set_timeout", "r9", 5001),
                    Load(Output + 8, Offset("timeout"), 4),
                    Insert(
                        Call("bpf_ct_change_status", "r9", (int)second),
                        Load(Output + 16, Offset("status"), 8),
                        Call("bpf_ct_change_status", "r9", (int)status | 8),
                        Load(Output + 24, Offset("status"), 8),
                        Call("bpf_ct_change_timeout", "r9", 100_000),
                        $"*(u32 *)(r9 + {Offset("mark")}) = 4711",
                        Load(Output + 32, Offset("mark"), 4),
                        Release
                    ),
                    Search(
                        "bpf_xdp_ct_lookup",
                        Ipv4,
                        12,
                        16,
                        Load(Output + 40, Offset("mark"), 4) + Load(Output + 48, Offset("status"), 8)
                    )
                )
            ),
            .. from milliseconds in new[] { 0, 1, 3, 4, 5, int.MaxValue, -1, int.MinValue }
            select Case(
                $"timeout {milliseconds}",
                Alloc(
                    Ipv4,
                    12,
                    Load(Output, Offset("timeout"), 4),
                    $"""
                    r1 = r9
                    r2 = {milliseconds}
                    kfunc bpf_ct_set_timeout
                    """,
                    Load(Output + 8, Offset("timeout"), 4),
                    Insert(Release),
                    Search("bpf_xdp_ct_lookup", Ipv4, 12, 16)
                )
            ),
        ]);

    [Fact]
    public void AddressesAreTranslatedAsInTheKernel() =>
        Compare(
            from first in new[] { 0, 1 }
            from second in new[] { -1, 0, 1 }
            where first != second
            from port in new[] { 0, -1, 5353, 65_536 + 80 }
            select Case(
                $"translation {first} to port {port}, then {second}",
                Alloc(
                    Ipv4,
                    12,
                    Nat(first, port),
                    second < 0 ? "" : Nat(second, 99),
                    ReadConnection(Output),
                    Insert(Release),
                    Search("bpf_xdp_ct_lookup", Ipv4, 12, 16),
                    Search("bpf_xdp_ct_lookup", Ipv4Back, 12, 16)
                )
            )
        );

    private static string Nat(int manipulation, int port) =>
        $"""
            r1 = r9
            r2 = r7
            r2 += {Address}
            r3 = {port}
            r4 = {manipulation}
            kfunc bpf_ct_set_nat_info
            record
            """;

    private static CallCase Case(string name, string text, byte[]? options = null)
    {
        var memory = new byte[CallCase.MemorySize];
        WriteTuple(memory.AsSpan(Ipv4), "10.0.0.1", "10.0.0.2", 1000, 80);
        WriteTuple(memory.AsSpan(Ipv4Back), "10.0.0.2", "10.0.0.1", 80, 1000);
        WriteTuple(memory.AsSpan(Ipv6), "fd00::1", "fd00::2", 1000, 80);
        (options ?? MakeOptions(-1, Tcp)).CopyTo(memory, Options);
        IPAddress.Parse("192.0.2.33").GetAddressBytes().CopyTo(memory, Address);
        return new CallCase(name, text) { Memory = memory };
    }

    private static void WriteTuple(Span<byte> memory, string source, string destination, ushort sport, ushort dport)
    {
        var addresses = (byte[])
            [.. IPAddress.Parse(source).GetAddressBytes(), .. IPAddress.Parse(destination).GetAddressBytes()];
        addresses.CopyTo(memory);
        BinaryPrimitives.WriteUInt16BigEndian(memory[addresses.Length..], sport);
        BinaryPrimitives.WriteUInt16BigEndian(memory[(addresses.Length + 2)..], dport);
    }

    private static byte[] MakeOptions(int netns, byte protocol, ushort zone = 0, byte directions = 0, int reserved = 0)
    {
        var options = new byte[16];
        BinaryPrimitives.WriteInt32LittleEndian(options, netns);
        options[8] = protocol;
        options[9] = 0x5a;
        BinaryPrimitives.WriteUInt16LittleEndian(options.AsSpan(10), zone);
        options[12] = directions;
        options[13] = (byte)reserved;
        options[14] = (byte)(reserved >> 8);
        options[15] = (byte)(reserved >> 16);
        return options;
    }

    // A search; what it finds is in r9 for some text, then released.
    private static string Search(string kfunc, int tuple, int size, int optionsSize, string found = "")
    {
        var label = NextLabel();
        var release = kfunc == "bpf_xdp_ct_lookup" ? Release : Insert(Release);
        return $"""
            r1 = r6
            r2 = r7
            r2 += {tuple}
            r3 = {size}
            r4 = r7
            r4 += {Options}
            r5 = {optionsSize}
            kfunc {kfunc}
            r9 = r0
            r1 = *(u32 *)(r7 + {Options + 4})
            r0 = r1
            record
            r1 = *(u8 *)(r7 + {Options + 9})
            r0 = r1
            record
            if r9 == 0 goto {label}
            {found}
            {release}
            r0 = 1
            record
            {label}:
            """;
    }

    // A new connection, in r9 for some text that inserts it.
    private static string Alloc(int tuple, int size, params string[] then)
    {
        var label = NextLabel();
        return $"""
            r1 = r6
            r2 = r7
            r2 += {tuple}
            r3 = {size}
            r4 = r7
            r4 += {Options}
            r5 = 16
            kfunc bpf_xdp_ct_alloc
            r9 = r0
            if r0 == 0 goto {label}
            {string.Join('\n', then)}
            {label}:
            """;
    }

    // The connection in r9 inserted; if it was it is in r9 for some text that releases it.
    private static string Insert(params string[] then)
    {
        var label = NextLabel();
        return $"""
            r1 = r9
            kfunc bpf_ct_insert_entry
            r9 = r0
            if r0 == 0 goto {label}
            r0 = 1
            record
            {string.Join('\n', then)}
            {label}:
            """;
    }

    private const string Release = "r1 = r9\nkfunc bpf_ct_release\n";

    private static string Call(string kfunc, string connection, int value)
    {
        var text = $"r1 = {connection}\nr2 = {value}\nkfunc {kfunc}\n";
        // A kfunc that returns nothing leaves what no program may look at.
        return kfunc == "bpf_ct_set_timeout" ? text : text + "record\n";
    }

    private static string Load(int to, int offset, int size) =>
        $"r1 = *(u{8 * size} *)(r9 + {offset})\n*(u{8 * size} *)(r7 + {to}) = r1\n";

    // Both tuples, zone and status.
    private static string ReadConnection(int to)
    {
        var tuples = Offset("tuplehash");
        var size = s_types.Value[s_types.Value.Find("nf_conntrack_tuple_hash", BtfKind.Struct)].Size;
        var text = "";
        foreach (var start in new[] { tuples + 16, tuples + 16 + (int)size })
        {
            foreach (
                var (offset, bytes) in new[]
                {
                    (0, 4),
                    (4, 4),
                    (8, 4),
                    (12, 4),
                    (16, 2),
                    (18, 2),
                    (20, 4),
                    (24, 4),
                    (28, 4),
                    (32, 4),
                    (36, 2),
                    (38, 1),
                    (39, 1),
                }
            )
            {
                text += Load(to, start + offset, bytes);
                to += bytes;
            }
        }
        return text
            + Load(to, Offset("status"), 8)
            + Load(to + 8, Offset("zone"), 2)
            + Load(to + 11, Offset("zone") + 3, 1);
    }

    private static int Offset(string member)
    {
        var type = s_types.Value[s_types.Value.Find("nf_conn", BtfKind.Struct)];
        return Enumerable
            .Range(0, type.Count)
            .Select(type.Member)
            .Where(found => found.Name == member)
            .Select(found => (int)(found.BitOffset / 8))
            .Single();
    }

    private static string NextLabel() =>
        string.Create(CultureInfo.InvariantCulture, $"label{Interlocked.Increment(ref s_labels)}");

    private static void Compare(IEnumerable<CallCase> cases)
    {
        Kernel.Require();
        Assert.SkipWhen(
            s_types.Value.Find("bpf_xdp_ct_lookup", BtfKind.Function) == 0,
            "this kernel has no bpf_xdp_ct_lookup"
        );
        var differences = new List<string>();
        foreach (var @case in cases)
        {
            CallResult? kernel = null;
            NetworkNamespace.Run(() => kernel = CallResult.InKernel(@case));
            foreach (var engine in Enum.GetValues<ExecutionEngine>())
            {
                var network = new NetworkEnvironment(seed: 1);
                if (CallResult.InEngine(@case, engine, network).DifferenceTo(kernel!) is { } difference)
                {
                    differences.Add($"{@case.Name}, {engine}: {difference}");
                }
            }
        }
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }
}
