using System.Runtime.CompilerServices;
using RxStages.Bpf.Runtime;

namespace RxStages.Engine;

/// <summary>A program written in C#: a structure, so that <see cref="StructProgram{TFunction}"/> is compiled for it alone.</summary>
public unsafe interface IXdpFunction
{
    /// <summary>
    /// Decides about one packet. To redirect it, set <see cref="BpfRuntime.Redirect"/> and return <see cref="XdpAction.Redirect"/>.
    /// </summary>
    /// <param name="packet">The packet. Nothing checks what is read or written through it: stay between data and its end.</param>
    /// <param name="runtime">The worker's state.</param>
    /// <returns>The verdict: an <see cref="XdpAction"/> as a number.</returns>
    uint Run(XdpBuff* packet, BpfRuntime* runtime);
}

/// <summary>Runs a <see cref="IXdpFunction"/>: the loop over the vector is compiled with the function in it.</summary>
/// <param name="name">The program's name.</param>
/// <param name="function">The function, with its state.</param>
public sealed unsafe class StructProgram<TFunction>(string name, TFunction function) : XdpProgram
    where TFunction : struct, IXdpFunction
{
    private TFunction _function = function;

    /// <inheritdoc/>
    public override string Name => name;

    /// <summary>The function with its state as it is now.</summary>
    public ref readonly TFunction Function => ref _function;

    /// <inheritdoc/>
    public override void RunVector(XdpBuff** packets, uint* verdicts, int count, BpfRuntime* runtime)
    {
        var done = 0;
        while (done < count)
        {
            try
            {
                for (; done < count; done++)
                {
                    verdicts[done] = RunOne(packets[done], runtime);
                }
            }
            catch (Exception)
            {
                verdicts[done++] = (uint)XdpAction.Aborted;
            }
        }
    }

    /// <inheritdoc/>
    public override ulong RunTail(XdpBuff* packet, BpfRuntime* runtime) => _function.Run(packet, runtime);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint RunOne(XdpBuff* packet, BpfRuntime* runtime)
    {
        var verdict = _function.Run(packet, runtime);
        if (verdict == (uint)XdpAction.Redirect)
        {
            packet->Redirect = runtime->Redirect;
            runtime->Redirect = default;
        }
        return verdict;
    }
}
