using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using RxStages.Bpf.Network;
using RxStages.Bpf.Objects;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Kfuncs;

/// <summary>
/// A packet as the kernel's <c>struct xdp_buff</c>, with its <c>xdp_rxq_info</c>, <c>net_device</c> and <c>net</c>, laid out as
/// the kernel's types say: what programs walk from <c>bpf_cast_to_kern_ctx</c> on. What is not known here is zero. One per thread.
/// </summary>
internal sealed unsafe class KernelContext
{
    // XDP_FLAGS_HAS_FRAGS
    private const uint HasFragments = 1;

    private const int StructureSize = BpfRuntime.MaxStructureSize;
    private const int StructureCount = 4;

    // IFNAMSIZ
    private const int NameSize = 16;

    // As in "net:[4026531840]".
    private static readonly Lazy<uint> NamespaceNumber = new(() =>
        OperatingSystem.IsLinux()
        && new FileInfo("/proc/self/ns/net").LinkTarget is { } link
        && uint.TryParse(link.AsSpan(link.IndexOf('[') + 1).TrimEnd(']'), CultureInfo.InvariantCulture, out var number)
            ? number
            : 0
    );

    [ThreadStatic]
    private static KernelContext? t_last;

    private readonly Btf? _types;
    private readonly byte[] _memory;
    private readonly byte* _buff;
    private readonly byte* _queue;
    private readonly byte* _device;
    private readonly byte* _net;
    private readonly int _data;
    private readonly int _dataEnd;
    private readonly int _dataMeta;
    private readonly int _dataHardStart;
    private readonly int _queueInfo;
    private readonly int _frameSize;
    private readonly int _flags;
    private readonly int _queueDevice;
    private readonly int _queueIndex;
    private readonly int _ifindex;
    private readonly int _name;

    private KernelContext(Btf? types)
    {
        _types = types;
        _memory = GC.AllocateArray<byte>(StructureCount * StructureSize, pinned: true);
        _buff = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_memory));
        _queue = _buff + StructureSize;
        _device = _queue + StructureSize;
        _net = _device + StructureSize;
        _data = OffsetOf("xdp_buff", "data");
        _dataEnd = OffsetOf("xdp_buff", "data_end");
        _dataMeta = OffsetOf("xdp_buff", "data_meta");
        _dataHardStart = OffsetOf("xdp_buff", "data_hard_start");
        _queueInfo = OffsetOf("xdp_buff", "rxq");
        _frameSize = OffsetOf("xdp_buff", "frame_sz");
        _flags = OffsetOf("xdp_buff", "flags");
        _queueDevice = OffsetOf("xdp_rxq_info", "dev");
        _queueIndex = OffsetOf("xdp_rxq_info", "queue_index");
        _ifindex = OffsetOf("net_device", "ifindex");
        _name = OffsetOf("net_device", "name");
        // possible_net_t has the pointer alone.
        Write(_device, OffsetOf("net_device", "nd_net"), (ulong)_net);
        var (common, number) = (OffsetOf("net", "ns"), OffsetOf("ns_common", "inum"));
        Write(_net, common < 0 || number < 0 ? -1 : common + number, NamespaceNumber.Value);
    }

    /// <summary>The packet as the kernel's structure, until the next call on this thread.</summary>
    public static byte* Of(XdpBuff* packet, BpfRuntime* runtime)
    {
        var types = runtime->GetServices().KernelTypes as Btf ?? TargetKernel.Running.Types;
        var context = t_last;
        if (context is null || context._types != types)
        {
            context = t_last = new KernelContext(types);
        }
        runtime->Structures = context._buff;
        runtime->StructuresLength = StructureCount * StructureSize;
        return context.Show(
            packet,
            NetworkEnvironment.Of(runtime).FindInterface(packet->IngressIfindex, packet)?.Name ?? ""
        );
    }

    private byte* Show(XdpBuff* packet, string interfaceName)
    {
        Write(_buff, _data, (ulong)packet->Data);
        Write(_buff, _dataEnd, (ulong)packet->DataEnd);
        Write(_buff, _dataMeta, (ulong)packet->DataMeta);
        Write(_buff, _dataHardStart, (ulong)packet->DataHardStart);
        Write(_buff, _queueInfo, (ulong)_queue);
        Write(_buff, _frameSize, (uint)(packet->DataHardEnd + XdpBuff.FrameTailroom - packet->DataHardStart));
        Write(_buff, _flags, packet->FragmentsLength != 0 ? HasFragments : 0u);
        Write(_queue, _queueDevice, (ulong)_device);
        Write(_queue, _queueIndex, packet->RxQueueIndex);
        Write(_device, _ifindex, packet->IngressIfindex);
        if (_name is >= 0 and <= StructureSize - NameSize)
        {
            var name = new Span<byte>(_device + _name, NameSize);
            name.Clear();
            // With the zero behind it.
            Encoding.ASCII.GetBytes(interfaceName.AsSpan(0, Math.Min(interfaceName.Length, NameSize - 1)), name);
        }
        return _buff;
    }

    private static void Write<T>(byte* structure, int offset, T value)
        where T : unmanaged
    {
        if (offset >= 0 && offset <= StructureSize - sizeof(T))
        {
            Unsafe.WriteUnaligned(structure + offset, value);
        }
    }

    /// <summary>Where a member is, in bytes; -1 if it is not known.</summary>
    private int OffsetOf(string structure, string name) =>
        _types?.Find(structure, BtfKind.Struct) is > 0 and var id ? _types.OffsetOf(id, name) ?? -1 : -1;
}
