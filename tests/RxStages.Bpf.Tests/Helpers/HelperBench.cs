using System.Runtime.InteropServices;
using RxStages.Bpf.Helpers;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Tests.Helpers;

/// <summary>
/// Calls helpers as a program would, on a packet in a frame as the kernel's <c>BPF_PROG_TEST_RUN</c> lays it out.
/// </summary>
internal sealed unsafe class HelperBench : IDisposable
{
    private readonly byte* _frame = (byte*)NativeMemory.AllocZeroed(XdpBuff.FrameSize);
    private readonly BpfRuntime* _runtime = (BpfRuntime*)NativeMemory.AllocZeroed((nuint)sizeof(BpfRuntime));
    private readonly XdpBuff* _packet = (XdpBuff*)NativeMemory.AllocZeroed((nuint)sizeof(XdpBuff));
    private GCHandle<RuntimeServices> _services;

    internal HelperBench(int packetLength = 60)
    {
        _packet->DataHardStart = _frame;
        _packet->Data = _packet->DataMeta = _frame + XdpBuff.Headroom;
        _packet->DataEnd = _packet->Data + packetLength;
        _packet->DataHardEnd = _frame + XdpBuff.FrameSize - XdpBuff.FrameTailroom;
        _runtime->RandomState = 1;
        for (var i = 0; i < packetLength; i++)
        {
            _packet->Data[i] = (byte)i;
        }
    }

    internal BpfRuntime* Runtime => _runtime;

    internal XdpBuff* Packet => _packet;

    internal RuntimeServices Services
    {
        set
        {
            _services = new GCHandle<RuntimeServices>(value);
            _runtime->Services = GCHandle<RuntimeServices>.ToIntPtr(_services);
        }
    }

    internal long Call(string name, ulong r1 = 0, ulong r2 = 0, ulong r3 = 0, ulong r4 = 0, ulong r5 = 0)
    {
        var method = HelperTable.All.Single(helper => helper.Name == name).Implementation!;
        var function = (delegate* <BpfRuntime*, ulong, ulong, ulong, ulong, ulong, ulong>)
            method.MethodHandle.GetFunctionPointer();
        return (long)function(_runtime, r1, r2, r3, r4, r5);
    }

    internal long CallOnPacket(string name, int offset) => Call(name, (ulong)_packet, (ulong)(long)offset);

    internal byte[] PacketBytes() =>
        new ReadOnlySpan<byte>(_packet->Data, (int)(_packet->DataEnd - _packet->Data)).ToArray();

    public void Dispose()
    {
        if (_services.IsAllocated)
        {
            _services.Dispose();
        }
        NativeMemory.Free(_frame);
        NativeMemory.Free(_runtime);
        NativeMemory.Free(_packet);
    }
}
