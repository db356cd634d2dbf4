using System.Collections.Immutable;
using System.Reflection;
using RxStages.Bpf.Runtime;

namespace RxStages.Bpf.Helpers;

/// <summary>What a helper expects in an argument register, after the kernel's <c>enum bpf_arg_type</c>.</summary>
public enum ArgumentType
{
    /// <summary><c>ARG_ANYTHING</c>: any initialised scalar (or pointer, which is then only a number).</summary>
    Anything,

    /// <summary><c>ARG_PTR_TO_CTX</c></summary>
    Context,

    /// <summary><c>ARG_CONST_MAP_PTR</c></summary>
    ConstMapPointer,

    /// <summary><c>ARG_PTR_TO_MAP_KEY</c>: readable memory of the map's key size.</summary>
    MapKey,

    /// <summary><c>ARG_PTR_TO_MAP_VALUE</c>: readable memory of the map's value size.</summary>
    MapValue,

    /// <summary><c>ARG_PTR_TO_MEM | MEM_RDONLY</c>: initialised memory; the size is the next argument.</summary>
    ReadableMemory,

    /// <summary><c>ARG_PTR_TO_MEM | PTR_MAYBE_NULL | MEM_RDONLY</c>: the same, or null if the size may be 0.</summary>
    ReadableMemoryOrNull,

    /// <summary><c>ARG_PTR_TO_UNINIT_MEM</c>: memory that the helper fills; the size is the next argument.</summary>
    WritableMemory,

    /// <summary><c>ARG_CONST_SIZE</c>: size of the memory in the argument before, not 0.</summary>
    Size,

    /// <summary><c>ARG_CONST_SIZE_OR_ZERO</c>: size of the memory in the argument before.</summary>
    SizeOrZero,
}

/// <summary>What a helper returns in r0, after the kernel's <c>enum bpf_return_type</c>.</summary>
public enum ReturnType
{
    /// <summary><c>RET_INTEGER</c></summary>
    Integer,

    /// <summary><c>RET_VOID</c></summary>
    Void,

    /// <summary><c>RET_PTR_TO_MAP_VALUE_OR_NULL</c></summary>
    MapValueOrNull,
}

/// <summary>The shape of every helper's implementation: the worker's state and r1 to r5; the result goes to r0.</summary>
public unsafe delegate ulong HelperFunction(BpfRuntime* runtime, ulong r1, ulong r2, ulong r3, ulong r4, ulong r5);

/// <summary>
/// One helper: everything that verifier, compiler, interpreter and documentation know of it.
/// </summary>
/// <param name="Id">Its number (<c>enum bpf_func_id</c>).</param>
/// <param name="Name">Its name without <c>bpf_</c>.</param>
/// <param name="Returns">What r0 holds afterwards.</param>
/// <param name="Arguments">
/// What it expects in r1, r2, …; at most five. Registers behind them are passed on as they are: not even initialised ones
/// are asked for (<c>ARG_DONTCARE</c>; <c>trace_printk</c> takes its values so).
/// </param>
/// <param name="Implementation">
/// A static method of the shape <see cref="HelperFunction"/>; null for <c>tail_call</c>, which compiler and interpreter
/// carry out themselves as the kernel's do.
/// </param>
/// <param name="KernelSource">Where its semantics come from: file and function of the kernel.</param>
/// <param name="Doc">What it does, in a sentence or two, and in what it differs from the kernel's.</param>
public sealed record HelperDefinition(
    int Id,
    string Name,
    ReturnType Returns,
    ImmutableArray<ArgumentType> Arguments,
    MethodInfo? Implementation,
    string KernelSource,
    string Doc
)
{
    internal HelperDefinition(
        int id,
        string name,
        ReturnType returns,
        ImmutableArray<ArgumentType> arguments,
        HelperFunction implementation,
        string kernelSource,
        string doc
    )
        : this(id, name, returns, arguments, implementation.Method, kernelSource, doc) { }

    /// <summary>True when the helper moves packet boundaries, so that every packet pointer is void afterwards.</summary>
    public bool ChangesPacketData { get; init; }

    /// <summary>True when packet pointers may be given as memory (<c>pkt_access</c>).</summary>
    public bool AllowsPacketAccess { get; init; }

    /// <summary>True when the kernel offers it only to programs with a GPL-compatible licence.</summary>
    public bool IsGplOnly { get; init; }
}
