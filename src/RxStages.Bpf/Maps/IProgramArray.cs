using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Maps;

/// <summary>A map whose values are programs: what a tail call jumps through.</summary>
public interface IProgramArray
{
    /// <summary>The program at an index, or null if there is none or the index is out of range.</summary>
    XdpProgram? this[uint index] { get; }
}
