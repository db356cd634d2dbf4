using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using RxStages.Bpf.Helpers;

namespace RxStages.Bpf.Kfuncs;

/// <summary>One kfunc: a function of the kernel's that programs call by name, found through the kernel's BTF.</summary>
public sealed record KfuncDefinition : FunctionDefinition
{
    [SetsRequiredMembers]
    internal KfuncDefinition(
        string name,
        ReturnType returns,
        ImmutableArray<Argument> arguments,
        HelperFunction? implementation,
        string kernelSource,
        string doc
    )
    {
        Name = name;
        Returns = returns;
        Arguments = arguments;
        Implementation = implementation?.Method;
        KernelSource = kernelSource;
        Doc = doc;
    }

    /// <summary>True for what starts, advances or ends a region in which others are not allowed (RCU, preemption).</summary>
    public KfuncRegion Region { get; init; }

    /// <inheritdoc/>
    public override string FullName => Name;
}

/// <summary>Regions that kfuncs open and close; each must be closed before the program ends.</summary>
public enum KfuncRegion
{
    /// <summary>It has to do with none.</summary>
    None = 0,

    /// <summary><c>bpf_rcu_read_lock</c></summary>
    RcuBegin,

    /// <summary><c>bpf_rcu_read_unlock</c></summary>
    RcuEnd,

    /// <summary><c>bpf_preempt_disable</c></summary>
    PreemptOffBegin,

    /// <summary><c>bpf_preempt_enable</c></summary>
    PreemptOffEnd,
}
