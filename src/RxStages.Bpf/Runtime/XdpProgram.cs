namespace RxStages.Bpf.Runtime;

/// <summary>
/// A program that is ready to run: compiled, interpreted, or written in C#. Calls are per vector, so that what is virtual
/// here costs nothing per packet.
/// </summary>
public abstract unsafe class XdpProgram : IDisposable
{
    /// <summary>The program's name.</summary>
    public abstract string Name { get; }

    /// <summary>
    /// How many CPUs the program's maps have room for, and it was verified for: only workers whose <see cref="BpfRuntime.Cpu"/>
    /// is below may run it, since map operations, and programs that ask for it, use that number unchecked. The greatest
    /// number there is for a program without either.
    /// </summary>
    public virtual int CpuCount => int.MaxValue;

    /// <summary>
    /// Runs the program over a vector: packet after packet in order, one verdict each. For a packet whose verdict is
    /// <see cref="XdpAction.Redirect"/>, <see cref="BpfRuntime.Redirect"/> moves to <see cref="XdpBuff.Redirect"/>.
    /// Never throws for what a packet or a program does: a fault in one packet is its <see cref="XdpAction.Aborted"/>.
    /// </summary>
    /// <param name="packets">The packets: <paramref name="count"/> addresses.</param>
    /// <param name="verdicts">Gets the <paramref name="count"/> return values (the low 32 bits of r0), as the program gave them.</param>
    /// <param name="count">How many packets; 0 is allowed.</param>
    /// <param name="runtime">The worker's state.</param>
    public abstract void RunVector(XdpBuff** packets, uint* verdicts, int count, BpfRuntime* runtime);

    /// <summary>
    /// Gets ready for <see cref="RunTail"/>: what it needs is made now, not when the first packet comes to it. Called when the
    /// program is put into a program array; on the control path.
    /// </summary>
    public virtual void PrepareTail() { }

    /// <summary>
    /// Runs the program on one packet as the target of a tail call: nothing in <paramref name="runtime"/> is reset before
    /// or used up after.
    /// </summary>
    /// <returns>r0.</returns>
    public abstract ulong RunTail(XdpBuff* packet, BpfRuntime* runtime);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what the program holds.</summary>
    protected virtual void Dispose(bool disposing) { }
}
