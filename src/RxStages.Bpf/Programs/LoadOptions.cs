using RxStages.Bpf.Compilation;
using RxStages.Bpf.Maps;
using RxStages.Bpf.Verification;

namespace RxStages.Bpf.Programs;

/// <summary>What runs a loaded program.</summary>
public enum ExecutionEngine
{
    /// <summary>Machine code made of the verified program.</summary>
    Compiler,

    /// <summary>The interpreter, which checks every access.</summary>
    Interpreter,
}

/// <summary>How an object is loaded.</summary>
public sealed record LoadOptions
{
    /// <summary>What runs its programs.</summary>
    public ExecutionEngine Engine { get; init; } = ExecutionEngine.Compiler;

    /// <summary>How its maps are made.</summary>
    public MapOptions Maps { get; init; } = MapOptions.Default;

    /// <summary>The verifier's limits; the licence is the object's.</summary>
    public VerifierOptions Verifier { get; init; } = new();

    /// <summary>How its programs are compiled.</summary>
    public CompilerOptions Compiler { get; init; } = CompilerOptions.Default;
}
