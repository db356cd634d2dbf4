using RxStages.Bpf.Runtime;
using RxStages.Packets;
using RxStages.Ports;
using RxStages.Stages;
using RxStages.Telemetry;

namespace RxStages.Engine;

/// <summary>How packets go through the stages. Verdicts, bytes, maps and the order per verdict and target are the same in both.</summary>
public enum EngineMode
{
    /// <summary>Each stage works on the whole packet-vector before the next one begins.</summary>
    Staged,

    /// <summary>Each packet goes through all stages before the next is received, as in most drivers of the kernel.</summary>
    PerPacket,
}

/// <summary>How a worker works, and where its packets go. The defaults send what is passed or transmitted nowhere.</summary>
public sealed record WorkerOptions
{
    /// <summary>Staged, or packet by packet.</summary>
    public EngineMode Mode { get; init; }

    /// <summary>The most packets that a poll takes, and so the size of a full vector: 1 to 64; best from 8 to 16.</summary>
    public int VectorSize { get; init; } = 16;

    /// <summary>Prefetch packet headers, of the present vector and of the next.</summary>
    public bool Prefetch { get; init; } = true;

    /// <summary>Count the time spent in each stage. Costs a reading of the clock per stage and vector.</summary>
    public bool TimeStages { get; init; }

    /// <summary>The CPU that the program sees, and its slot in per-CPU maps.</summary>
    public int Cpu { get; init; }

    /// <summary>The seed of <c>bpf_get_prandom_u32</c>; 0 stands for one that is different each time.</summary>
    public ulong RandomSeed { get; init; }

    /// <summary>What slow helpers ask of their surroundings.</summary>
    public RuntimeServices Services { get; init; } = new();

    /// <summary>Where packets with verdict <see cref="XdpAction.Tx"/> go: the transmit queue of the port that is received from.</summary>
    public IPacketConsumer Transmit { get; init; } = DiscardingConsumer.Instance;

    /// <summary>Where packets with verdict <see cref="XdpAction.Pass"/> go.</summary>
    public IPacketConsumer NetworkStack { get; init; } = DiscardingConsumer.Instance;

    /// <summary>Where packets with verdict <see cref="XdpAction.Redirect"/> go.</summary>
    public RedirectTable Redirects { get; init; } = new();

    /// <summary>Is told of every packet; null (usual) costs nothing.</summary>
    public IPacketObserver? Observer { get; init; }

    internal void Check()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(VectorSize, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(VectorSize, PacketVector.MaxCapacity);
        ArgumentOutOfRangeException.ThrowIfNegative(Cpu);
    }
}
