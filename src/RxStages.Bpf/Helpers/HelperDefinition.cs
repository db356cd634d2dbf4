using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace RxStages.Bpf.Helpers;

/// <summary>One helper: a function of the kernel's that programs call by number (<c>enum bpf_func_id</c>).</summary>
public sealed record HelperDefinition : FunctionDefinition
{
    [SetsRequiredMembers]
    internal HelperDefinition(
        int id,
        string name,
        ReturnType returns,
        ImmutableArray<Argument> arguments,
        MethodInfo? implementation,
        string kernelSource,
        string doc
    )
    {
        Id = id;
        Name = name;
        Returns = returns;
        Arguments = arguments;
        Implementation = implementation;
        KernelSource = kernelSource;
        Doc = doc;
    }

    [SetsRequiredMembers]
    internal HelperDefinition(
        int id,
        string name,
        ReturnType returns,
        ImmutableArray<Argument> arguments,
        HelperFunction implementation,
        string kernelSource,
        string doc
    )
        : this(id, name, returns, arguments, implementation.Method, kernelSource, doc) { }

    /// <summary>Its number (<c>enum bpf_func_id</c>).</summary>
    public int Id { get; }

    /// <inheritdoc/>
    public override string FullName => "bpf_" + Name;
}
