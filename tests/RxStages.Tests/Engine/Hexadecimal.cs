using RxStages.Bpf.Runtime;
using RxStages.Packets;

namespace RxStages.Tests.Engine;

/// <summary>Writes packets so that tests can compare and print them.</summary>
internal static unsafe class Hexadecimal
{
    public static string Of(XdpBuff* packet) =>
        Convert.ToHexString(PacketBytes.Linear(packet)) + Convert.ToHexString(PacketBytes.Fragments(packet));
}
