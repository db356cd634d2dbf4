namespace RxStages.Bpf.Interpretation;

/// <summary>Carries out the helper calls of a program.</summary>
internal abstract class HelperCalls
{
    /// <summary>Calls a helper with the machine's r1 to r5; what it returns goes to r0.</summary>
    /// <exception cref="MachineFault">There is no such helper, or an argument is not what it takes.</exception>
    public abstract void Call(ref Machine machine, ulong id);
}
