using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Packets;

/// <summary>
/// Packets that move through the stages together. It lives in native memory only. Each packet has a position: its place
/// in the vector that was received, by which its verdict and its fate are found in whatever vector it is now.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct PacketVector
{
    private fixed ulong _packets[MaxCapacity];
    private fixed byte _positions[MaxCapacity];

    /// <summary>How many packets are in it, 0 to <see cref="MaxCapacity"/>.</summary>
    public int Count;

    /// <summary>The most packets that a vector can hold. Engines use 8 to 16.</summary>
    public const int MaxCapacity = 64;

    /// <summary>The packets' addresses; the first <see cref="Count"/> are valid.</summary>
    public XdpBuff** Packets => (XdpBuff**)Unsafe.AsPointer(ref _packets[0]);

    /// <summary>The packets' positions in the received vector, in step with <see cref="Packets"/>.</summary>
    public byte* Positions => (byte*)Unsafe.AsPointer(ref _positions[0]);

    /// <summary>Appends a packet. The caller sees to it that there is room.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(XdpBuff* packet, int position)
    {
        Packets[Count] = packet;
        Positions[Count] = (byte)position;
        Count++;
    }
}
