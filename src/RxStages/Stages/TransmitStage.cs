using RxStages.Ports;
using RxStages.Telemetry;

namespace RxStages.Stages;

/// <summary>Stage 5: transmits the TX vector in bulk out of the port that its packets came from.</summary>
internal sealed unsafe class TransmitStage(IPacketConsumer queue, Counters* counters)
    : ConsumerStage(queue, Fate.Transmitted, Fate.TxRingFull, counters);
