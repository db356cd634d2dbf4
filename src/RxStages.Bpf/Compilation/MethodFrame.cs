using System.Reflection.Emit;
using RxStages.Bpf.Isa;

namespace RxStages.Bpf.Compilation;

/// <summary>
/// What surrounds a body of eBPF code in its method: where the stack is, how memory is reached, what a call is, and how
/// the body ends. Verified code and checked code differ only here.
/// </summary>
internal abstract class MethodFrame(ILGenerator il)
{
    /// <summary>The method's IL.</summary>
    protected ILGenerator IL { get; } = il;

    /// <summary>Pushes the address <paramref name="offset"/> bytes from the top of the stack frame (r10).</summary>
    public abstract void LoadStack(int offset);

    /// <summary>True when only the low 32 bits of r0 count where the body ends.</summary>
    public virtual bool IsResult32Bit => false;

    /// <summary>Ends the body; r0 is on the IL stack.</summary>
    public abstract void Exit();

    /// <summary>Pushes the value of a wide load.</summary>
    public abstract void LoadWide(int slot);

    /// <summary>Pushes a field of the context; false when the load at a slot is not one.</summary>
    public abstract bool TryLoadContext(int slot);

    /// <summary>An address is on the IL stack: stays there, if it may be accessed.</summary>
    public abstract void GuardAccess(int slot, int size, bool atomic);

    /// <summary>True when jumps back are counted, because the code is not known to end.</summary>
    public virtual bool GuardsJumpsBack => false;

    /// <summary>A jump back is about to be taken.</summary>
    public virtual void GuardJumpBack(int slot, int target) { }

    /// <summary>Emits <c>may_goto</c>: to a label when the function's loops have gone round too often.</summary>
    public virtual void MayGoto(Label target) =>
        throw new InvalidOperationException("Only verified code has may_goto.");

    /// <summary>The body goes on at a slot of another region; <paramref name="live"/> are the registers needed there.</summary>
    public virtual void Leave(int target, Registers registers, int live) =>
        throw new InvalidOperationException("The region is the whole function.");

    /// <summary>Emits a call, result in r0.</summary>
    public abstract void Call(int slot, Instruction call, Registers registers);
}
