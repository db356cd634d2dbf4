using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text.Json;
using RxStages.Bpf.Runtime;
using RxStages.TestKit;
using static RxStages.Bpf.Runtime.XdpAction;

namespace RxStages.KernelOracle.Tests.Programs;

/// <summary>Every program of <c>programs/</c>, with map contents that its packets meet.</summary>
internal static class Scenarios
{
    // Loopback: the one interface that every machine has.
    private const uint Loopback = 1;

    /// <summary>Those that are run on whole captures.</summary>
    public static ImmutableArray<Scenario> OnCaptures { get; } =
    [
        new("dos_filter", "dos_filter", Drop, Pass)
        {
            Variant = "with lists",
            Variables = Variables(("syn_rate", 0), ("syn_burst", 20), ("drop_fragments", 1)),
            Entries = [.. Sample("blocked_v4"), .. Sample("blocked_v6"), .. Sample("port_rules")],
        },
        new("dos_filter", "dos_filter", Drop, Pass)
        {
            Variant = "without limits",
            Variables = Variables(("syn_burst", 0), ("drop_reflections", 0)),
        },
        // So much credit that no refill changes a verdict, whatever the clock says.
        new("dos_filter", "dos_filter", Drop, Pass)
        {
            Variant = "with the clock",
            Variables = Variables(("syn_rate", 1), ("syn_burst", 1_000_000)),
            TimedMaps = ["syn_sources"],
        },
        new("l4_balancer", "l4_balancer", Drop, Pass, Tx) { Entries = Balancer() },
        new("l4_balancer", "l4_balancer", Drop, Pass, Tx)
        {
            Variant = "of small packets",
            Variables = Variables(("max_inner_length", 300), ("hash_seed", 77)),
            Entries = Balancer(),
        },
        new("echo_responder", "echo_responder", Pass, Tx),
        new("vlan", "vlan_push", Tx) { Variables = Variables(("vlan_tci", 0xe123)) },
        new("vlan", "vlan_pop", Drop, Pass),
        new("router", "router", Drop, Pass, Redirect) { Entries = Router() },
        new("tail_calls", "parse_ethernet", Drop, Pass, Tx),
        new("tail_calls", "parse_ipv4", Aborted) { Variant = "without its caller" },
        new("large", "large", Drop, Pass),
        new("globals", "globals", Aborted, Drop, Pass, Tx),
        new("globals", "atomics", Drop, Pass),
        new("instructions_v4", "instructions_v4", Drop, Pass, Tx, Redirect),
    ];

    /// <summary>Those that ask helpers about their edges: on packets of chosen lengths, one by one.</summary>
    public static ImmutableArray<Scenario> Probes { get; } =
    [
        .. ProgramFiles
            .Read("helpers_probe")
            .Programs.Select(program => new Scenario("helpers_probe", program.Name, VerdictsOf(program.Name))
            {
                Entries = [Entry("devices", Word(1), Word(Loopback)), Entry("device_hash", Word(7), Word(Loopback))],
            }),
        .. ProgramFiles.Read("loops").Programs.Select(program => new Scenario("loops", program.Name, Pass)),
    ];

    private static ImmutableArray<XdpAction> VerdictsOf(string probe) =>
        probe switch
        {
            "probe_checksum" => [Drop, Pass],
            "probe_redirect" => [Drop],
            "probe_head" or "probe_tail" or "probe_fragments" => [Tx],
            _ => [Pass],
        };

    private static ImmutableDictionary<string, uint> Variables(params (string Name, uint Value)[] variables) =>
        variables.ToImmutableDictionary(v => v.Name, v => v.Value);

    private static ImmutableArray<MapEntry> Balancer() =>
        [
            Entry("vips", [.. Address("192.0.2.10"), .. Port(80), 6, 0], [.. Word(0), .. Word(3)]),
            Entry("vips", [.. Address("192.0.2.10"), .. Port(443), 6, 0], [.. Word(0), .. Word(3)]),
            // One of its three backends is not there.
            Entry("vips", [.. Address("192.0.2.11"), .. Port(443), 6, 0], [.. Word(2), .. Word(3)]),
            Entry("vips", [.. Address("192.0.2.53"), .. Port(53), 17, 0], [.. Word(4), .. Word(1)]),
            Entry("vips", [.. Address("192.0.2.12"), .. Port(443), 17, 0], [.. Word(0), .. Word(0)]),
            Entry("backends", Word(0), [.. Address("10.0.1.1"), 2, 0, 0, 0, 1, 1, 0, 0]),
            Entry("backends", Word(1), [.. Address("10.0.1.2"), 2, 0, 0, 0, 1, 2, 0, 0]),
            Entry("backends", Word(2), [.. Address("10.0.1.3"), 2, 0, 0, 0, 1, 3, 0, 0]),
            Entry("backends", Word(4), [.. Address("10.0.2.1"), 2, 0, 0, 0, 2, 1, 0, 0]),
        ];

    private static ImmutableArray<MapEntry> Router() =>
        [
            Entry("routes_v4", [.. Word(24), .. Address("192.0.2.0")], Word(0)),
            Entry("routes_v4", [.. Word(32), .. Address("192.0.2.53")], Word(1)),
            Entry("routes_v4", [.. Word(15), .. Address("198.18.0.0")], Word(1)),
            Entry("routes_v4", [.. Word(12), .. Address("198.16.0.0")], Word(2)),
            Entry("routes_v6", [.. Word(64), .. Address("2001:db8:1::")], Word(0)),
            Entry("routes_v6", [.. Word(32), .. Address("2001:db8::")], Word(1)),
            Entry("routes_v6", [.. Word(0), .. Address("::")], Word(3)),
            Entry("next_hops", Word(0), [.. Word(5), 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]),
            Entry("next_hops", Word(1), [.. Word(6), 2, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 4]),
            // A port that the devmap does not have, and one beyond its end.
            Entry("next_hops", Word(2), [.. Word(7), 2, 0, 0, 0, 0, 5, 2, 0, 0, 0, 0, 6]),
            Entry("next_hops", Word(3), [.. Word(64), 2, 0, 0, 0, 0, 5, 2, 0, 0, 0, 0, 6]),
            Entry("ports", Word(5), Word(Loopback)),
            Entry("ports", Word(6), Word(Loopback)),
        ];

    // Map contents that come with the samples, for the program that they are about.
    private static IEnumerable<MapEntry> Sample(string map)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(Repository.PathOf("samples", "maps", map + ".json")));
        return
        [
            .. json
                .RootElement.GetProperty("entries")
                .EnumerateArray()
                .Select(entry => Entry(map, Bytes(entry.GetProperty("key")), Bytes(entry.GetProperty("value")))),
        ];

        static byte[] Bytes(JsonElement array) =>
            [.. array.EnumerateArray().Select(text => byte.Parse(text.GetString()!.AsSpan(2), NumberStyles.HexNumber))];
    }

    private static MapEntry Entry(string map, byte[] key, byte[] value) => new(map, key, value);

    private static byte[] Word(uint value)
    {
        var bytes = new byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }

    private static byte[] Port(ushort port) => [(byte)(port >> 8), (byte)port];

    private static byte[] Address(string text) => IPAddress.Parse(text).GetAddressBytes();
}
