using RxStages.Bpf.Runtime;
using RxStages.Packets;

namespace RxStages.Stages;

/// <summary>Stage 3: runs the program over the whole vector. Touches no port, so that nothing but the program is in the caches.</summary>
internal sealed unsafe class XdpStage(BpfRuntime* runtime)
{
    /// <summary>Gets a verdict for each packet of the vector.</summary>
    public void Run(XdpProgram program, PacketVector* vector, uint* verdicts) =>
        program.RunVector(vector->Packets, verdicts, vector->Count, runtime);
}
