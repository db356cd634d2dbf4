namespace RxStages.Captures;

/// <summary>
/// Link types of capture files: the commoner ones of the registry that libpcap keeps (<c>LINKTYPE_*</c>), named for error
/// messages. Only <see cref="Ethernet"/> is read.
/// </summary>
public enum LinkType : uint
{
    /// <summary>BSD loopback: an address family in host byte order, then the network header.</summary>
    Null = 0,

    /// <summary>Ethernet (IEEE 802.3).</summary>
    Ethernet = 1,

    /// <summary>PPP.</summary>
    Ppp = 9,

    /// <summary>IPv4 or IPv6, without a link-layer header.</summary>
    Raw = 101,

    /// <summary>IEEE 802.11 wireless LAN.</summary>
    Ieee80211 = 105,

    /// <summary>OpenBSD loopback.</summary>
    Loop = 108,

    /// <summary>Linux "cooked" capture (interface <c>any</c>), version 1.</summary>
    LinuxSll = 113,

    /// <summary>IEEE 802.11 with a radiotap header.</summary>
    Ieee80211Radiotap = 127,

    /// <summary>USB, as Linux gives it.</summary>
    UsbLinux = 189,

    /// <summary>USB, as Linux gives it through memory mapping.</summary>
    UsbLinuxMmapped = 220,

    /// <summary>IPv4 without a link-layer header.</summary>
    IPv4 = 228,

    /// <summary>IPv6 without a link-layer header.</summary>
    IPv6 = 229,

    /// <summary>Netfilter log messages.</summary>
    Nflog = 239,

    /// <summary>Linux "cooked" capture (interface <c>any</c>), version 2.</summary>
    LinuxSll2 = 276,
}
