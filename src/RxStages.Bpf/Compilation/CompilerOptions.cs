namespace RxStages.Bpf.Compilation;

/// <summary>How to compile.</summary>
public sealed record CompilerOptions
{
    /// <summary>What is used where nothing is said.</summary>
    public static CompilerOptions Default { get; } = new();

    /// <summary>How large a method may become; larger functions are compiled in chunks.</summary>
    public MethodLimits Limits { get; init; } = new();
}

/// <summary>
/// How large one method may become. RyuJIT compiles without optimisation, silently, what is beyond 60,000 bytes of IL,
/// 20,000 IL instructions, 2,000 basic blocks, 2,000 variables or 8,000 references to variables
/// (<c>DEFAULT_MIN_OPTS_*</c> in <c>jit/compiler.h</c>); the defaults here stay clear of that with estimates that err on the high
/// side.
/// </summary>
public sealed record MethodLimits
{
    /// <summary>eBPF instructions.</summary>
    public int Instructions { get; init; } = 1500;

    /// <summary>Estimated bytes of IL.</summary>
    public int IlBytes { get; init; } = 40_000;

    /// <summary>Estimated basic blocks.</summary>
    public int Blocks { get; init; } = 1200;

    /// <summary>Estimated references to variables.</summary>
    public int LocalReferences { get; init; } = 6000;
}
