using System.Buffers.Binary;
using System.Text;
using RxStages.TrafficGenerator.Packets;
using RxStages.TrafficGenerator.Traffic;

namespace RxStages.TrafficGenerator;

/// <summary>
/// The contents of the maps of <c>programs/dos_filter.bpf.c</c> that fit the attacks of <see cref="AttackTraffic"/>, in the
/// form of <c>bpftool map dump --json</c>.
/// </summary>
internal static class FilterMaps
{
    private const uint Allow = 1;
    private const uint Deny = 2;

    /// <summary><c>blocked_v4</c> or <c>blocked_v6</c>: prefix length and address to the number of hits.</summary>
    public static byte[] BlockList(IEnumerable<Prefix> prefixes) =>
        Contents(
            prefixes.Select(prefix =>
                ((byte[])[.. LittleEndian((uint)prefix.Length), .. prefix.Address.GetAddressBytes()], new byte[8])
            )
        );

    /// <summary><c>port_rules</c>: destination port and protocol to what happens to its packets.</summary>
    public static byte[] PortRules() =>
        Contents(
            AttackTraffic
                .DeniedServices.Select(service => (Service(service), LittleEndian(Deny)))
                .Concat(AttackTraffic.AllowedServices.Select(service => (Service(service), LittleEndian(Allow))))
        );

    private static byte[] Service((byte Protocol, ushort Port) service) =>
        new NetworkBytes().UInt16(service.Port).UInt8(service.Protocol, 0).ToArray();

    private static byte[] LittleEndian(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        return bytes;
    }

    private static byte[] Contents(IEnumerable<(byte[] Key, byte[] Value)> entries)
    {
        var lines = entries.Select(entry => $"    {{ \"key\": {Bytes(entry.Key)}, \"value\": {Bytes(entry.Value)} }}");
        return Encoding.UTF8.GetBytes($"{{\n  \"entries\": [\n{string.Join(",\n", lines)}\n  ]\n}}\n");
    }

    private static string Bytes(byte[] bytes) => $"[{string.Join(", ", bytes.Select(value => $"\"0x{value:x2}\""))}]";
}
