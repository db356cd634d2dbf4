using RxStages.Ports;
using RxStages.Telemetry;

namespace RxStages.Stages;

/// <summary>Stage 7: hands the PASS vector to the network stack in bulk, after all that could be done without it.</summary>
internal sealed unsafe class NetworkStackStage(IPacketConsumer stack, Counters* counters)
    : ConsumerStage(stack, Fate.Passed, Fate.StackBacklogFull, counters);
