namespace RxStages.Bpf.Interpretation;

/// <summary>Carries out the helper calls of a program.</summary>
internal abstract class HelperCalls
{
    /// <summary>Calls a helper with the machine's r1 to r5; what it returns goes to r0.</summary>
    /// <exception cref="MachineFault">There is no such helper, or an argument is not what it takes.</exception>
    public abstract void Call(ref Machine machine, ulong id);

    /// <summary>Calls one of the program's kfuncs in the same way, by its index.</summary>
    /// <exception cref="MachineFault">It is not supported, or an argument is not what it takes.</exception>
    public virtual void CallKfunc(ref Machine machine, int index) =>
        throw new MachineFault($"there is no kernel function (kfunc) {index}");
}
