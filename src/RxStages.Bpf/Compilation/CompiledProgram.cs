using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Compilation;

/// <summary>A verified program as machine code, the loop over the vector included. Made by <see cref="IlCompiler"/>.</summary>
public sealed unsafe class CompiledProgram : XdpProgram
{
    private readonly VectorMethod _vector;
    private readonly Lazy<TailMethod> _tail;
    private readonly ImmutableArray<Map> _maps;
    private readonly bool _asksOfRun;
    private readonly IReadOnlyCollection<CompiledTimerFunction> _timerFunctions;

    internal CompiledProgram(ProgramCompiler compiler, ImmutableArray<Map> maps)
    {
        Name = compiler.Code.Name;
        // Addresses in the maps are constants of the code: the maps must live as long as it.
        _maps = maps;
        _timerFunctions = compiler.TimerFunctions;
        _asksOfRun = compiler.AsksOfRun;
        CpuCount = Math.Min(compiler.CpuCount, Map.CpuCountOf(maps));
        _vector = compiler.EmitVector().CreateDelegate<VectorMethod>(this);
        RuntimeHelpers.PrepareDelegate(_vector);
        compiler.Prepare();
        _tail = new(() =>
        {
            var tail = compiler.EmitTail().CreateDelegate<TailMethod>();
            RuntimeHelpers.PrepareDelegate(tail);
            compiler.Prepare();
            return tail;
        });
    }

    internal delegate void VectorMethod(XdpBuff** packets, uint* verdicts, int count, BpfRuntime* runtime);

    internal delegate ulong TailMethod(XdpBuff* packet, BpfRuntime* runtime);

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override int CpuCount { get; }

    /// <summary>The maps that the code refers to.</summary>
    public ImmutableArray<Map> Maps => _maps;

    /// <inheritdoc/>
    public override void RunVector(XdpBuff** packets, uint* verdicts, int count, BpfRuntime* runtime)
    {
        if (!_asksOfRun)
        {
            _vector(packets, verdicts, count, runtime);
            return;
        }
        byte stackEnd;
        runtime->StackEnd = &stackEnd;
        _vector(packets, verdicts, count, runtime);
        runtime->EndRun();
    }

    /// <inheritdoc/>
    public override void PrepareTail() => _ = _tail.Value;

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        foreach (var callback in _timerFunctions)
        {
            callback.Dispose();
        }
        base.Dispose(disposing);
    }

    /// <inheritdoc/>
    public override ulong RunTail(XdpBuff* packet, BpfRuntime* runtime) => _tail.Value(packet, runtime);
}
