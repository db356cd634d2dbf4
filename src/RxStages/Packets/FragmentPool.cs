using System.Runtime.InteropServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Packets;

/// <summary>
/// Side buffers for the bytes of packets that do not fit a frame's linear part. They are rare, so buffers are made when
/// first wanted, up to a bound, and a lock is good enough: no packet that fits its frame ever comes here.
/// </summary>
internal sealed unsafe class FragmentPool(int capacity) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Stack<nint> _free = new();
    private int _made;
    private int _inUse;

    /// <summary>Bytes in a buffer: as many fragments of a page as the kernel allows.</summary>
    public const int BufferSize = XdpBuff.MaxFragments * XdpBuff.FrameSize;

    /// <summary>How many buffers packets hold.</summary>
    public int InUse => Volatile.Read(ref _inUse);

    /// <summary>A buffer with undefined contents, or null when all are in use.</summary>
    public byte* Take()
    {
        lock (_gate)
        {
            if (!_free.TryPop(out var buffer))
            {
                if (_made == capacity)
                {
                    return null;
                }
                buffer = (nint)NativeMemory.AlignedAlloc(BufferSize, XdpBuff.FrameSize);
                _made++;
            }
            _inUse++;
            return (byte*)buffer;
        }
    }

    /// <summary>Takes the buffers of those of the packets that have one.</summary>
    public void RecycleOf(XdpBuff** packets, int count)
    {
        for (var i = 0; i < count; i++)
        {
            var packet = packets[i];
            if (packet->Fragments == null)
            {
                continue;
            }
            lock (_gate)
            {
                _free.Push((nint)(packet->Fragments + packet->FragmentsCapacity - BufferSize));
                _inUse--;
            }
            packet->Fragments = null;
            packet->FragmentsLength = 0;
        }
    }

    /// <summary>Frees the buffers that are not in use.</summary>
    public void Dispose()
    {
        while (_free.TryPop(out var buffer))
        {
            NativeMemory.AlignedFree((void*)buffer);
        }
    }
}
