using RxStages.Bpf.Helpers;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Interpretation;

/// <summary>A helper or kfunc with its implementation's address, so that calls need no reflection.</summary>
internal sealed unsafe class BoundHelper
{
    private readonly delegate* <BpfRuntime*, ulong, ulong, ulong, ulong, ulong, ulong> _function;

    /// <summary>Looks up the implementation's address.</summary>
    public BoundHelper(FunctionDefinition definition)
    {
        Definition = definition;
        if (definition.Implementation is { } method)
        {
            _function = (delegate* <BpfRuntime*, ulong, ulong, ulong, ulong, ulong, ulong>)
                method.MethodHandle.GetFunctionPointer();
        }
    }

    /// <summary>What it takes and gives.</summary>
    public FunctionDefinition Definition { get; }

    /// <summary>Calls it.</summary>
    public ulong Call(BpfRuntime* runtime, ulong r1, ulong r2, ulong r3, ulong r4, ulong r5) =>
        _function(runtime, r1, r2, r3, r4, r5);
}
