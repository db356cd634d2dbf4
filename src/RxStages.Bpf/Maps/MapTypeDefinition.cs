using System.Collections.Immutable;
using RxStages.Bpf.Objects;

namespace RxStages.Bpf.Maps;

/// <summary>
/// One type of maps: everything that factory, verifier, interpreter and documentation know of it, in one place.
/// </summary>
public sealed record MapTypeDefinition
{
    internal MapTypeDefinition(
        MapType type,
        string name,
        Action<MapSpec> check,
        Func<MapSpec, MapOptions, NativeMap> make,
        string kernelSource,
        string doc
    )
    {
        Type = type;
        Name = name;
        Check = check;
        Make = make;
        KernelSource = kernelSource;
        Doc = doc;
    }

    /// <summary>Its number (<c>enum bpf_map_type</c>).</summary>
    public MapType Type { get; }

    /// <summary>The name that bpftool has for it, e.g. <c>lru_percpu_hash</c>.</summary>
    public string Name { get; }

    /// <summary>
    /// The numbers of the helpers that XDP programs may call with such a map (<c>check_map_func_compatibility</c>); empty for
    /// a type that programs of other kinds use and XDP programs may only declare.
    /// </summary>
    public ImmutableArray<int> Helpers { get; init; } = [];

    /// <summary>Where its semantics come from: file and operations of the kernel.</summary>
    public string KernelSource { get; }

    /// <summary>What it is for, in a sentence or two.</summary>
    public string Doc { get; }

    /// <summary>In what it differs from the kernel's, in a sentence; null where it does not.</summary>
    public string? Difference { get; init; }

    /// <summary>True when programs can never write its values, whatever its flags: the type sets <c>BPF_F_RDONLY_PROG</c> itself.</summary>
    public bool IsReadOnlyForPrograms { get; init; }

    /// <summary>True for arrays, whose look-ups find every index that is in range (<c>can_elide_value_nullcheck</c>).</summary>
    public bool AlwaysFindsIndex { get; init; }

    /// <summary>The kernel's checks of a definition (<c>map_alloc_check</c> and <c>map_alloc</c>); throws where it would refuse.</summary>
    internal Action<MapSpec> Check { get; }

    /// <summary>Makes a live map of a definition that was checked.</summary>
    internal Func<MapSpec, MapOptions, NativeMap> Make { get; }

    /// <summary>True when XDP programs may call the helper of that number with such a map.</summary>
    public bool Allows(int helper) => Helpers.Contains(helper);
}
