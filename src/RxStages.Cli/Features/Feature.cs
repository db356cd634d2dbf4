using System.Globalization;
using RxStages.Bpf.Helpers;
using RxStages.Bpf.Kfuncs;
using RxStages.Bpf.Maps;

namespace RxStages.Cli.Features;

/// <summary>What kind of feature: the sections of the table.</summary>
internal enum FeatureKind
{
    /// <summary>A helper, called by number.</summary>
    Helper,

    /// <summary>A helper that the kernel offers XDP programs and that is refused here.</summary>
    RefusedHelper,

    /// <summary>A kfunc, called by name.</summary>
    Kfunc,

    /// <summary>A type of maps.</summary>
    Map,
}

/// <summary>One row of the table of features, as people and JSON see it.</summary>
/// <param name="Kind">The section it stands in.</param>
/// <param name="Number">A helper's or map type's number; null for kfuncs.</param>
/// <param name="Name">As programs spell it: <c>bpf_map_lookup_elem</c>, <c>BPF_MAP_TYPE_HASH</c>.</param>
/// <param name="Doc">What it does; of a refused helper: why it is refused.</param>
/// <param name="Difference">In what it differs from the kernel's, or null.</param>
/// <param name="KernelSource">Where its semantics come from; null for refused helpers.</param>
internal sealed record Feature(
    FeatureKind Kind,
    int? Number,
    string Name,
    string Doc,
    string? Difference,
    string? KernelSource
)
{
    /// <summary>For helpers and kfuncs: what they take, e.g. <c>const_map_pointer</c>.</summary>
    public IReadOnlyList<string> Arguments { get; private init; } = [];

    /// <summary>For helpers and kfuncs: what they return; else null.</summary>
    public string? Returns { get; private init; }

    /// <summary>For helpers and kfuncs: only programs with a GPL-compatible license may call them.</summary>
    public bool IsGplOnly { get; private init; }

    /// <summary>For map types: the helpers that XDP programs may call with them.</summary>
    public IReadOnlyList<string> Helpers { get; private init; } = [];

    /// <summary>All that there is, in the order of the tables.</summary>
    public static IReadOnlyList<Feature> All { get; } =
    [
        .. HelperTable.All.Select(helper => Of(helper, FeatureKind.Helper, helper.Id)),
        .. RefusedHelper.All.Select(helper => new Feature(
            FeatureKind.RefusedHelper,
            helper.Id,
            helper.FullName,
            $"{char.ToUpperInvariant(helper.Reason[0])}{helper.Reason[1..]}.",
            null,
            null
        )),
        .. KfuncTable.All.Select(kfunc => Of(kfunc, FeatureKind.Kfunc, null)),
        .. MapTypeTable.All.Select(Of),
    ];

    private static Feature Of(FunctionDefinition function, FeatureKind kind, int? number) =>
        new(kind, number, function.FullName, function.Doc, function.Difference, function.KernelSource)
        {
            Arguments = [.. function.Arguments.Select(Describe)],
            Returns = SnakeCase(function.Returns.ToString()),
            IsGplOnly = function.IsGplOnly,
        };

    private static Feature Of(MapTypeDefinition type) =>
        new(
            FeatureKind.Map,
            (int)type.Type,
            "BPF_MAP_TYPE_" + type.Name.ToUpperInvariant(),
            type.Doc,
            type.Difference,
            type.KernelSource
        )
        {
            Helpers = [.. type.Helpers.Select(id => "bpf_" + HelperNames.Find(id))],
        };

    private static string Describe(Argument argument)
    {
        var name = SnakeCase(argument.Type.ToString());
        return argument switch
        {
            { BtfType: { } structure } => $"{name} {structure}",
            { Size: > 0 and var size } => string.Create(CultureInfo.InvariantCulture, $"{name} {size}"),
            _ => name,
        };
    }

    private static string SnakeCase(string name) =>
        string.Concat(
            name.Select(
                (letter, index) =>
                    char.IsUpper(letter)
                        ? (index == 0 ? "" : "_") + char.ToLowerInvariant(letter)
                        : letter.ToString(CultureInfo.InvariantCulture)
            )
        );
}
