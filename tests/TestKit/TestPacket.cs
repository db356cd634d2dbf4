using System.Runtime.InteropServices;
using RxStages.Bpf.Runtime;

namespace RxStages.TestKit;

/// <summary>A packet in a frame of its own, and a worker's state to run programs on it with.</summary>
public sealed unsafe class TestPacket : IDisposable
{
    private readonly byte* _frame = (byte*)NativeMemory.AllocZeroed(XdpBuff.FrameSize);

    /// <summary>Puts the bytes behind the usual headroom.</summary>
    public TestPacket(params ReadOnlySpan<byte> bytes)
    {
        Buff = (XdpBuff*)NativeMemory.AllocZeroed((nuint)sizeof(XdpBuff));
        Runtime = (BpfRuntime*)NativeMemory.AllocZeroed((nuint)sizeof(BpfRuntime));
        Runtime->RandomState = 1;
        Buff->DataHardStart = _frame;
        Buff->DataHardEnd = _frame + XdpBuff.FrameSize - XdpBuff.FrameTailroom;
        Buff->Data = Buff->DataMeta = _frame + XdpBuff.Headroom;
        Buff->DataEnd = Buff->Data + bytes.Length;
        bytes.CopyTo(new Span<byte>(Buff->Data, bytes.Length));
    }

    /// <summary>The packet as programs get it.</summary>
    public XdpBuff* Buff { get; }

    /// <summary>The worker's state.</summary>
    public BpfRuntime* Runtime { get; }

    /// <summary>The packet's bytes, as they are now.</summary>
    public byte[] Bytes => new Span<byte>(Buff->Data, (int)(Buff->DataEnd - Buff->Data)).ToArray();

    /// <summary>Runs a program on the packet, as a vector of one.</summary>
    /// <returns>What it returned.</returns>
    public uint Run(XdpProgram program)
    {
        var packet = Buff;
        uint verdict;
        program.RunVector(&packet, &verdict, 1, Runtime);
        return verdict;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        NativeMemory.Free(_frame);
        NativeMemory.Free(Buff);
        NativeMemory.Free(Runtime);
    }
}
