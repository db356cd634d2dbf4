using System.Collections.Immutable;
using System.Reflection;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>The shape of the implementation of every helper and kfunc: the worker's state and r1 to r5; the result goes to r0.</summary>
public unsafe delegate ulong HelperFunction(BpfRuntime* runtime, ulong r1, ulong r2, ulong r3, ulong r4, ulong r5);

/// <summary>
/// One helper or kfunc: everything that verifier, compiler, interpreter and documentation know of it, in one place.
/// </summary>
public abstract record FunctionDefinition
{
    /// <summary>Its name: a helper's without <c>bpf_</c>, a kfunc's in full.</summary>
    public required string Name { get; init; }

    /// <summary>What r0 holds afterwards.</summary>
    public required ReturnType Returns { get; init; }

    /// <summary>
    /// What it expects in r1, r2, …; at most five. Registers behind them are passed on as they are: not even initialised ones
    /// are asked for (<c>ARG_DONTCARE</c>; <c>trace_printk</c> takes its values so).
    /// </summary>
    public required ImmutableArray<Argument> Arguments { get; init; }

    /// <summary>
    /// A static method of the shape <see cref="HelperFunction"/>; null for what verifier, compiler and interpreter carry
    /// out themselves, as the kernel's do (<c>tail_call</c>).
    /// </summary>
    public required MethodInfo? Implementation { get; init; }

    /// <summary>Where its semantics come from: file and function of the kernel.</summary>
    public required string KernelSource { get; init; }

    /// <summary>What it does, in a sentence or two, for <c>docs/features.md</c>.</summary>
    public required string Doc { get; init; }

    /// <summary>In what it differs from the kernel's, in a sentence; null where it does not.</summary>
    public string? Difference { get; init; }

    /// <summary>True when it moves packet boundaries, so that every packet pointer is void afterwards.</summary>
    public bool ChangesPacketData { get; init; }

    /// <summary>True when packet pointers may be given as memory (<c>pkt_access</c>).</summary>
    public bool AllowsPacketAccess { get; init; }

    /// <summary>True when it reads memory at any address: the run of a program that calls it says what may be read.</summary>
    public bool ReadsAnyAddress { get; init; }

    /// <summary>True when the kernel offers it only to programs with a GPL-compatible licence.</summary>
    public bool IsGplOnly { get; init; }

    /// <summary>True when its result is a reference that must be released on every path (<c>KF_ACQUIRE</c>, <c>is_acquire_function</c>).</summary>
    public bool Acquires { get; init; }

    /// <summary>For pointers to kernel structures: the structure that r0 points to, by its name in the kernel's BTF.</summary>
    public string? ReturnBtfType { get; init; }

    /// <summary>For results of a fixed size: how many bytes r0 points to.</summary>
    public int ReturnSize { get; init; }

    /// <summary>The name as programs spell it.</summary>
    public abstract string FullName { get; }
}
