using RxStages.Bpf.Runtime;
using RxStages.Packets;
using RxStages.Ports;

namespace RxStages.Benchmarks;

/// <summary>
/// A network stack to measure with: does to caches and time what one does, and gives the packets to nobody. Of each packet it
/// parses the headers, checks the checksums, copies it into a socket buffer of a ring that is larger than the caches, and
/// runs through an amount of code.
/// </summary>
public sealed unsafe class BenchStack : IPacketConsumer, IDisposable
{
    /// <summary>How much of a packet a socket buffer takes in; as in the kernel, what is more stays in fragments.</summary>
    private const int DataSize = 2048;

    private const int SlotSize = DataSize + ((SocketBuffer.Size + 63) / 64 * 64);

    private readonly CodeFootprint _code;
    private readonly int _slotCount;
    private readonly byte[] _contiguous = new byte[128 << 10];
    private byte* _slots;
    private int _next;

    /// <summary>Makes a stack.</summary>
    /// <param name="footprint">Bytes of machine code that each packet runs through, within a fifth: 0 to 16 MiB.</param>
    /// <param name="ringSize">Bytes of socket buffers: 4 KiB to 1 GiB.</param>
    public BenchStack(int footprint = 128 << 10, int ringSize = 16 << 20)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(ringSize, 4 << 10);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ringSize, 1 << 30);
        _code = new CodeFootprint(footprint);
        _slotCount = ringSize / SlotSize;
        _slots = NativeBlock.Allocate<byte>((nuint)_slotCount * SlotSize);
    }

    /// <inheritdoc/>
    public bool KeepsFrames => false;

    /// <summary>Packets taken.</summary>
    public long Delivered { get; private set; }

    /// <summary>Of these, packets whose checksums are all right.</summary>
    public long ChecksumsRight { get; private set; }

    /// <summary>Packets with a wrong checksum.</summary>
    public long ChecksumsWrong { get; private set; }

    /// <summary>A number that depends on all packets and all code that they ran through.</summary>
    public ulong Digest { get; private set; }

    /// <inheritdoc/>
    public int Accept(XdpBuff** packets, int count)
    {
        for (var i = 0; i < count; i++)
        {
            Deliver(packets[i]);
        }
        return count;
    }

    /// <inheritdoc/>
    public void Flush() { }

    /// <inheritdoc/>
    public void Reclaim() { }

    /// <inheritdoc/>
    public void Dispose() => NativeBlock.Free(ref _slots);

    private void Deliver(XdpBuff* packet)
    {
        var bytes = PacketBytes.Contiguous(packet, _contiguous);
        var headers = new PacketHeaders(bytes);
        var slot = _slots + ((nuint)_next * SlotSize);
        _next = _next + 1 == _slotCount ? 0 : _next + 1;

        var data = slot + SlotSize - DataSize;
        var copied = Math.Min(bytes.Length, DataSize);
        bytes[..copied].CopyTo(new Span<byte>(data, copied));
        if (copied < CodeFootprint.PacketBytes)
        {
            new Span<byte>(data + copied, CodeFootprint.PacketBytes - copied).Clear();
        }
        *(SocketBuffer*)slot = new SocketBuffer
        {
            Timestamp = packet->Timestamp,
            Hash = headers.FlowHash,
            Data = data,
            Length = (uint)bytes.Length,
            FragmentsLength = (uint)(bytes.Length - copied),
            Ifindex = packet->IngressIfindex,
            Queue = packet->RxQueueIndex,
            Protocol = headers.Protocol,
            NetworkHeader = (ushort)headers.Network,
            TransportHeader = (ushort)headers.Transport,
            Checksum = (byte)headers.Checksum,
        };

        Delivered++;
        ChecksumsRight += headers.Checksum == ChecksumState.Right ? 1 : 0;
        ChecksumsWrong += headers.Checksum == ChecksumState.Wrong ? 1 : 0;
        Digest = _code.Run(data, Digest ^ headers.FlowHash);
    }
}
