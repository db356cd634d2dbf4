using System.Collections.Immutable;
using System.Globalization;

namespace RxStages.Bpf.Network;

/// <summary>Reads what <c>ip link</c>, <c>ip addr</c> and <c>ip netconf</c> print of interfaces.</summary>
internal sealed class InterfaceLines
{
    private readonly Dictionary<int, NetworkInterface> _interfaces = [];
    private readonly Dictionary<string, int> _names = new(StringComparer.Ordinal);
    private int _current;

    /// <summary>The interfaces; the loopback one is added if no line told of it.</summary>
    public ImmutableArray<NetworkInterface> ToInterfaces()
    {
        if (!_names.ContainsKey(NetworkInterface.Loopback.Name))
        {
            _interfaces.TryAdd(NetworkInterface.Loopback.Index, NetworkInterface.Loopback);
        }
        return [.. _interfaces.Values];
    }

    /// <summary>True for the first line of an interface: <c>2: eth0: &lt;…&gt; mtu 1500 …</c>.</summary>
    public static bool IsHeader(TextLine line) =>
        line is { IsIndented: false, Words: [var number, var name, ..] } && number.EndsWith(':') && name.EndsWith(':');

    /// <summary>True for a line of <c>ip netconf</c>.</summary>
    public static bool IsConfiguration(TextLine line) =>
        line is { IsIndented: false, Words: ["inet" or "inet6" or "ipv4" or "ipv6", ..] };

    /// <summary>Reads the first line of an interface.</summary>
    public void ReadHeader(TextLine line)
    {
        if (
            !int.TryParse(line.Words[0].AsSpan()[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out _current)
            || _current == 0
        )
        {
            throw line.Error($"'{line.Words[0]}' is not an interface's number");
        }
        // The name's second part is the interface below or at the other end.
        var name = line.Words[1][..^1].Split('@')[0];
        if (_names.TryGetValue(name, out var other) ? other != _current : _interfaces.ContainsKey(_current))
        {
            throw line.Error($"interface {_current}, {name}: another one has that number or name");
        }
        _names[name] = _current;
        var network =
            _interfaces.GetValueOrDefault(_current)
            ?? new NetworkInterface
            {
                Index = _current,
                Name = name,
                ForwardsIpv4 = true,
                ForwardsIpv6 = true,
            };
        line.StartAt(2);
        while (!line.IsAtEnd)
        {
            if (line.Take("an attribute") == "mtu")
            {
                network = network with { Mtu = (int)line.TakeNumber("an MTU", int.MaxValue / 2) };
            }
        }
        _interfaces[_current] = network;
    }

    /// <summary>Reads an indented line: link layer or address; others, which tell what programs cannot ask, are passed over.</summary>
    public void ReadDetail(TextLine line)
    {
        if (!_interfaces.TryGetValue(_current, out var network))
        {
            throw line.Error("an indented line must follow that of an interface or route");
        }
        line.StartAt(0);
        var kind = line.Take("an attribute");
        if (kind.StartsWith("link/", StringComparison.Ordinal))
        {
            var hardware = 0ul;
            if (!line.IsAtEnd)
            {
                TextLine.TryReadHardwareAddress(line.Take("a link layer address"), out hardware);
            }
            var hasHeader = kind is "link/ether" or "link/loopback";
            network = network with { HeaderLength = hasHeader ? 14 : 0, HardwareAddress = hardware };
        }
        else if (kind is "inet" or "inet6")
        {
            network = network with { Addresses = network.Addresses.Add(ReadAddress(line, kind == "inet6")) };
        }
        _interfaces[_current] = network;
    }

    /// <summary>Reads a line of <c>ip netconf</c>: <c>inet eth0 forwarding on …</c>.</summary>
    public void ReadConfiguration(TextLine line)
    {
        line.StartAt(0);
        var isIpv6 = line.Take("a family") is "inet6" or "ipv6";
        _ = line.TakeIf("dev");
        var name = line.Take("an interface");
        while (!line.IsAtEnd)
        {
            if (line.Take("a setting") != "forwarding")
            {
                continue;
            }
            var isOn = line.Take("'on' or 'off'") switch
            {
                "on" => true,
                "off" => false,
                var other => throw line.Error($"forwarding is 'on' or 'off', not '{other}'"),
            };
            if (name is "all" or "default")
            {
                continue;
            }
            var network = Find(line, name);
            _interfaces[network.Index] = isIpv6
                ? network with
                {
                    ForwardsIpv6 = isOn,
                }
                : network with
                {
                    ForwardsIpv4 = isOn,
                };
        }
    }

    /// <summary>The interface of that name.</summary>
    public NetworkInterface Find(TextLine line, string name) =>
        _names.TryGetValue(name, out var index) ? _interfaces[index]
        : name == NetworkInterface.Loopback.Name ? NetworkInterface.Loopback
        : throw line.Error($"no interface '{name}': what 'ip addr' prints of it must be in the file too");

    private static InterfaceAddress ReadAddress(TextLine line, bool isIpv6)
    {
        var (address, length) = line.TakePrefix("an interface's address");
        if (address.IsIpv6 != isIpv6)
        {
            throw line.Error($"'{line.Words[1]}' is of the other family");
        }
        var network = address;
        if (line.TakeIf("peer"))
        {
            (network, length) = line.TakePrefix("a peer's address");
        }
        var result = new InterfaceAddress(address, network, length, RouteScope.Universe);
        while (!line.IsAtEnd)
        {
            result = line.Take("an attribute") switch
            {
                "scope" => result with { Scope = RouteLines.ReadScope(line) },
                "secondary" => result with { IsSecondary = !isIpv6, IsTemporary = isIpv6 },
                "temporary" => result with { IsTemporary = true },
                "deprecated" => result with { IsDeprecated = true },
                "tentative" or "dadfailed" => result with { IsTentative = true },
                _ => result,
            };
        }
        return result;
    }
}
