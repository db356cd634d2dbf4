using System.Runtime.InteropServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Tests.Compilation;

/// <summary>A vector of packets in native memory, and a worker's runtime beside it.</summary>
internal sealed unsafe class TestVector : IDisposable
{
    private readonly byte* _memory;
    private readonly int _count;

    public TestVector(params byte[][] packets)
    {
        _count = packets.Length;
        Packets = (XdpBuff**)NativeMemory.AllocZeroed((nuint)(_count * sizeof(XdpBuff*)));
        var buffs = (XdpBuff*)NativeMemory.AllocZeroed((nuint)(_count * sizeof(XdpBuff)));
        Verdicts = (uint*)NativeMemory.AllocZeroed((nuint)(_count * sizeof(uint)));
        Runtime = (BpfRuntime*)NativeMemory.AllocZeroed((nuint)sizeof(BpfRuntime));
        Runtime->RandomState = 1;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)(_count * XdpBuff.FrameSize), 4096);
        NativeMemory.Clear(_memory, (nuint)(_count * XdpBuff.FrameSize));
        for (var i = 0; i < _count; i++)
        {
            var frame = _memory + (i * XdpBuff.FrameSize);
            packets[i].CopyTo(new Span<byte>(frame + XdpBuff.Headroom, packets[i].Length));
            buffs[i] = new XdpBuff
            {
                DataHardStart = frame,
                DataMeta = frame + XdpBuff.Headroom,
                Data = frame + XdpBuff.Headroom,
                DataEnd = frame + XdpBuff.Headroom + packets[i].Length,
                DataHardEnd = frame + XdpBuff.FrameSize - XdpBuff.FrameTailroom,
                IngressIfindex = 0x11223344,
                RxQueueIndex = (uint)i,
                EgressIfindex = 9,
            };
            Packets[i] = &buffs[i];
        }
    }

    public XdpBuff** Packets { get; }

    public uint* Verdicts { get; }

    public BpfRuntime* Runtime { get; }

    /// <summary>The vector's verdicts.</summary>
    public uint[] Run(XdpProgram program)
    {
        program.RunVector(Packets, Verdicts, _count, Runtime);
        return new ReadOnlySpan<uint>(Verdicts, _count).ToArray();
    }

    /// <summary>A packet's bytes as they are now.</summary>
    public byte[] Bytes(int packet) =>
        new ReadOnlySpan<byte>(
            Packets[packet]->Data,
            (int)(Packets[packet]->DataEnd - Packets[packet]->Data)
        ).ToArray();

    public void Dispose()
    {
        NativeMemory.Free(Packets[0]);
        NativeMemory.Free(Packets);
        NativeMemory.Free(Verdicts);
        NativeMemory.Free(Runtime);
        NativeMemory.AlignedFree(_memory);
    }
}
